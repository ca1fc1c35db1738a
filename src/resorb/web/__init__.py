"""The web door: the service and its page. Not built yet; hands out nothing."""
