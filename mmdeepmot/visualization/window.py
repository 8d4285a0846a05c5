"""A window on the screen, where there is one."""

import os
import sys

import cv2

from mmdeepmot.errors import UserError
from mmdeepmot.visualization.draw import Image

_QUIT_KEYS = (27, ord("q"))


class NoDisplayError(UserError, RuntimeError):
    """No window can be opened."""


def check_display() -> None:
    """Raises an error where no window can be opened (OpenCV would end the process).

    Raises:
        NoDisplayError: No display, or an OpenCV without windows.
    """
    wayland_or_x = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not wayland_or_x:
        raise NoDisplayError(
            "showing needs a screen, but neither DISPLAY nor WAYLAND_DISPLAY is set: write a video "
            "file instead, or connect with X forwarding (ssh -X)"
        )
    if "GUI:                           NONE" in cv2.getBuildInformation():
        raise NoDisplayError(
            "this OpenCV is built without windows (opencv-python-headless): install opencv-python, "
            "or write a video file instead"
        )


def show_image(image: Image, title: str, wait_ms: int = 1) -> bool:
    """Shows ``(H, W, 3)`` BGR; True where the user pressed q or Escape or closed the window.

    Args:
        image: What to show.
        title: Title, and name, of the window.
        wait_ms: Time to wait for a key; 0: until one is pressed.
    """
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    cv2.imshow(title, image)
    key = cv2.waitKey(wait_ms) & 0xFF
    return key in _QUIT_KEYS or cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1
