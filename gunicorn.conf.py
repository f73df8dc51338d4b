"""How `make serve` serves the shop; gunicorn reads this file by itself (gunicorn.org: Settings).

Any of it can be given otherwise: `GUNICORN_CMD_ARGS="--bind=0.0.0.0:80 --workers=8"`.
"""

import os

wsgi_app = "shopdb.wsgi"
bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"  # a proxy on this machine speaks to the world

# A process for each core. In it a thread for each request under way: sixteen, of which logins take
# eleven at most (shopdb/logins.py). Each thread keeps its own database connection.
workers = int(os.environ.get("WEB_CONCURRENCY") or min(os.cpu_count() or 1, 4))
worker_class = "gthread"
threads = 16
keepalive = 5

# A worker that hangs is replaced after half a minute. Nobody steers a running server from outside.
timeout = graceful_timeout = 30
control_socket_disable = True
