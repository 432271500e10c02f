"""Every planted cause: what is planted, how strongly, what is offered, and what is true then.

Each plant limits what can be answered at the deciding level, and the level below it is well within
the plant: what a performance engineer would call the cause stands beside it in words. Sizes presume
that the engine has CPU 0 and the clients CPU 1; none needs more than a quarter of either, apart
from what is planted.
"""

from typing import Final, Literal

from confusion.plant import Clients, NetworkPath, Plant

MS: Final = 1_000


def _client() -> list[Plant]:
    quota = "the load client may use a CPU only for part of each 100 ms, and wants it for more"
    hogs = "other threads as important as the load client's want its CPU all the time"
    one = "one of four clients gets too little CPU, so its quarter of the orders leaves late"
    rates = (500, 50_000)
    return [
        *(
            Plant("client: CPU quota", f"{quota_ratio:.0%} of a CPU", "client", quota)
            .offering(*rates)
            .with_clients(Clients(quota_ratio=quota_ratio))
            for quota_ratio in (0.3, 0.2, 0.1)
        ),
        *(
            Plant("client: thread hogs on its CPU", f"{count} hogs", "client", hogs)
            .offering(*rates)
            .with_clients(Clients(hogs=count))
            for count in (1, 3, 6)
        ),
        *(
            Plant("client: one of four, CPU quota", f"{quota_ratio:.0%} of a CPU", "client", one)
            .offering(500, 20_000)
            .with_clients(Clients(count=4, connections=1, quota_ratio=quota_ratio, starved="one"))
            for quota_ratio in (0.06, 0.03)
        ),
        *(
            Plant("client: one of four, out-prioritised", f"{count} hogs", "client", one)
            .offering(500, 20_000)
            .with_clients(Clients(count=4, connections=1, hogs=count, starved="one"))
            for count in (1, 3)
        ),
    ]


def _network() -> list[Plant]:
    rate = "the link's bandwidth is below what the offered orders need"
    delay = "in flight over round trip is all that can be answered, and the path is the round trip"
    loss = "all orders behind a lost packet wait for it to be sent again, and the rest for those"
    return [
        *(
            Plant("network: bandwidth", f"{mbit} Mbit/s, buffer of {queue_ms} ms", "network", rate)
            .offering(500, high)
            .over(NetworkPath(rate_mbit=mbit, queue_ms=queue_ms))
            for mbit, queue_ms, high in ((8, 50, 30_000), (4, 50, 20_000), (4, 500, 20_000))
        ),
        *(
            Plant("network: delay, closed-loop", f"{delay_us / MS:g} ms each way", "network", delay)
            .offering(500, in_flight=16)
            .over(NetworkPath(delay_us=delay_us))
            for delay_us in (1 * MS, 5 * MS, 20 * MS)
        ),
        *(
            Plant(
                "network: delay, few orders in flight",
                f"{delay_us / MS:g} ms each way, 32 in flight",
                "network",
                delay,
            )
            .offering(500, 20_000)
            .with_clients(Clients(in_flight_max=32))
            .over(NetworkPath(delay_us=delay_us))
            for delay_us in (5 * MS, 20 * MS)
        ),
        *(
            Plant("network: loss, closed-loop", f"{ratio:.0%} lost", "network", loss)
            .offering(200, in_flight=64)
            .with_clients(Clients(connections=1))
            .over(NetworkPath(delay_us=MS // 4, loss_ratio=ratio))
            for ratio in (0.02, 0.05, 0.1)
        ),
        *(
            Plant(
                "network: loss, few orders in flight",
                f"{ratio:.0%} lost, 64 in flight",
                "network",
                loss,
            )
            .offering(200, 40_000)
            .with_clients(Clients(connections=1, in_flight_max=64))
            .over(NetworkPath(delay_us=MS // 4, loss_ratio=ratio))
            for ratio in (0.05, 0.1)
        ),
    ]


def _engine() -> list[Plant]:
    busy = "one engine thread needs more time for the offered orders than there is"
    lock = "the threads take turns at one lock, which is held all the time"
    stalls = "the engine stands still for longer than orders may take, or than it can make up for"
    slow = "the engine reads more slowly than orders arrive"
    sleeping = "the engine sleeps before it answers, and orders wait for it, not for a CPU"
    return [
        *(
            Plant("engine: one thread busy", f"{us} µs an order", "engine", busy)
            .of_engine(f"--busy-ns {us * 1000}")
            .offering(low, high)
            for us, low, high in ((20, 4_000, 80_000), (50, 2_000, 30_000), (200, 500, 10_000))
        ),
        *(
            Plant("engine: memory", f"{steps:,} reads in 64 MiB an order", "engine", busy)
            .of_engine(f"--memory-kib 65536 --memory-steps {steps}")
            .offering(low, high)
            for steps, low, high in ((300, 2_000, 80_000), (1_000, 500, 30_000))
        ),
        *(
            Plant("engine: system calls", f"{calls:,} an order", "engine", busy)
            .of_engine(f"--syscalls-per-order {calls}")
            .offering(low, high)
            for calls, low, high in ((200, 2_000, 80_000), (1_000, 500, 30_000))
        ),
        *(
            Plant("engine: lock", f"held {us} µs an order, two threads", "engine", lock)
            .of_engine(f"--threads 2 --lock-ns {us * 1000}")
            .offering(low, high)
            for us, low, high in ((50, 2_000, 30_000), (200, 500, 10_000))
        ),
        Plant("engine: stalls", "1.5 s of 3 s", "engine", stalls)
        .of_engine("--stall-every-ms 3000 --stall-ms 1500")
        .offering(5_000),
        Plant("engine: stalls", "0.6 s of 1 s, 20 µs an order", "engine", stalls)
        .of_engine("--stall-every-ms 1000 --stall-ms 600 --busy-ns 20000")
        .offering(500, 40_000),
        *(
            Plant("engine: slow receiver", f"4 KiB every {us / MS:g} ms", "engine", slow)
            .of_engine(f"--slow-reader-us {us}")
            .offering(500, high)
            for us, high in ((2 * MS, 80_000), (5 * MS, 40_000), (20 * MS, 40_000))
        ),
        *(
            Plant("engine: sleeping", f"{us / MS:g} ms a batch, 16 in flight", "engine", sleeping)
            .of_engine(f"--sleep-us {us}")
            .offering(500, in_flight=16)
            for us in (1 * MS, 5 * MS)
        ),
    ]


def _nothing() -> list[Plant]:
    calm = "everything offered is answered: no cause may be named"
    return [
        Plant("nothing", "loopback", "none", calm).offering(500, 5_000),
        Plant("nothing", "1 ms each way", "none", calm)
        .offering(500, 5_000)
        .over(NetworkPath(delay_us=1 * MS)),
    ]


PLANTS: Final = tuple(_client() + _network() + _engine() + _nothing())

# One strength of each truth, for a look in a minute.
QUICK: Final = (
    "client: CPU quota, 20% of a CPU",
    "network: delay, closed-loop, 5 ms each way",
    "engine: one thread busy, 50 µs an order",
    "nothing, loopback",
)


def chosen(only: str | None, size: Literal["all", "quick"]) -> list[Plant]:
    """The plants whose name contains `only`; raises SystemExit when none does."""
    found = [p for p in PLANTS if size == "all" or p.name in QUICK]
    if only is not None:
        found = [plant for plant in PLANTS if only.lower() in plant.name.lower()]
    if not found:
        names = "\n  ".join(plant.name for plant in PLANTS)
        raise SystemExit(f"no row is called {only!r}; there are:\n  {names}")
    return found
