"""What the API takes from its environment."""

import os

DATABASE_URL = os.environ["DATABASE_URL"]
CACHE_URL = os.environ["CACHE_URL"]
QUEUE_URL = os.environ["QUEUE_URL"]
SESSION_SECRET = os.environ["SESSION_SECRET"]
STRIPE_API_KEY = os.environ["STRIPE_API_KEY"]
LOG_LEVEL = os.getenv("LOG_LEVEL", "info")
