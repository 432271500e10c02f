"""Many hosts on one machine, to try the whole multi-host product and to break it.

A host of the lab is a set of Linux namespaces: a network with an address of its own, a host name,
processes, mounts, and for the load hosts a monotonic clock that runs ahead of the others'. Nothing
of the machine's own network is touched. Needs root, `ip` and `bridge` (iproute2), `unshare` and
`nsenter` (util-linux) and `sshd`.
"""
