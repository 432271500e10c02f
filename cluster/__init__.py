"""loadcluster: what can a TCP engine really do, and what holds it back."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("loadcluster")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "unknown"
