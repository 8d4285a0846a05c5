"""How the C library gives memory back."""

import ctypes
import platform

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_MMAP_THRESHOLD = 32 * 1024**2  # glibc refuses more
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, instead of handing it to the kernel.

    A training step on a CPU frees and allocates the same large feature maps again and again. By
    default glibc returns each to the kernel, which clears every page once more at the next touch:
    10 to 25% of a step of a small network (measured on the demo's). Memory in use stays what the
    largest step needed.

    Returns:
        Whether it could be set: only glibc (Linux) has it.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_M_TRIM_THRESHOLD, _NEVER)
    )
