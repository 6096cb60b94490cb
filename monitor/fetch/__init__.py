"""The only HTTP reader: conditional requests, bounds, robots.txt, manners towards hosts. Returns a Fetch."""

from monitor.fetch.client import Fetcher, host_key, retry_after
from monitor.fetch.hosts import Hosts

__all__ = ["Fetcher", "Hosts", "host_key", "retry_after"]
