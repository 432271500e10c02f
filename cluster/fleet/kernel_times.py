"""Why a level has no times by the kernel's stamps, in words."""


def why_no_kernel_times(refused: str, sends: int, receives: int) -> str:
    """Why there are none of sends, of receives or of both; empty when there are of both.

    Args:
        refused: what the kernel said when it was asked to stamp; empty: it agreed.
        sends: times of sends that were recorded.
        receives: likewise.
    """
    if sends and receives:
        return ""
    if refused:
        return f"no time stamps by the kernel: {refused}"
    if receives:
        return "the device stamps nothing that it sends"
    if sends:
        return "the kernel stamps nothing that it receives"
    return "the kernel stamped none of the few orders that were to be stamped"
