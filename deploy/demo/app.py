"""The shop of the demo: one page that says which release answers, from the settings of its environment."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8000


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/healthz":
            self.send_error(404)
            return
        body = f'{{"status": "ok", "version": "{os.environ.get("APP_VERSION", "unknown")}"}}\n'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    missing = [name for name in ("APP_ENV", "DATABASE_URL", "CACHE_URL") if name not in os.environ]
    if missing:
        sys.exit(f"set {', '.join(missing)}")
    # As process 1 it gets no default handler: without this a stop takes the whole grace period.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", PORT), Shop).serve_forever()
