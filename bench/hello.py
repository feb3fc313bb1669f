"""`python bench/hello.py PORT`: the least that aiohttp can do for a request."""

import sys

from aiohttp import web


async def hello(_request: web.Request) -> web.Response:
    """Say hello, whatever was asked."""
    return web.Response(text="hello")


if __name__ == "__main__":
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", hello)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
