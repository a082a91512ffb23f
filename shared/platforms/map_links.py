"""A location as a link that opens on any device.

https://developers.google.com/maps/documentation/urls/get-started
"""

MAP_LINK = "https://www.google.com/maps/search/?api=1&query="
NOWHERE = "[location]"


def map_link(latitude: object, longitude: object) -> str:
    """Returns the link, or `[location]` if the coordinates are invalid."""
    if _is_angle(latitude, 90) and _is_angle(longitude, 180):
        return f"{MAP_LINK}{latitude},{longitude}"
    return NOWHERE


def _is_angle(value: object, most: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
