"""`python -m cluster` is `loadcluster`."""

from cluster.cli import main

main()
