"""The aiohttp application: API, live hub, login."""
