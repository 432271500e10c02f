import pytest

from cluster.report.frames import Kind, frame_colour, frame_kind, legend_colour, short_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("main", "main"),
        ("tcp_sendmsg_[k]", "tcp_sendmsg"),
        ("cluster::OrderBook::match(cluster::Order&)", "cluster::OrderBook::match"),
        ("std::map<long, std::pair<int, int> >::find(long const&) const", "std::map<…>::find"),
        ("(anonymous namespace)::parse(int)", "(anonymous namespace)::parse"),
        ("operator<<(std::ostream&, int)", "operator<<"),
        ("Pointer::operator->() const", "Pointer::operator->"),
        ("std::function<void (int)>::operator()(int) const", "std::function<…>::operator()"),
        ("operator new(unsigned long)", "operator new"),
        ("run(int)::{lambda(int)#1}::operator()(int) const", "run::{lambda#1}::operator()"),
        ("broken<unclosed", "broken<…>"),
        ("<anonymous>", "<…>"),
        ("()", "()"),
    ],
)
def test_cpp_names_lose_their_arguments(name: str, short: str) -> None:
    assert short == short_name(name)


@pytest.mark.parametrize(
    ("name", "in_kernel", "kind"),
    [
        ("cluster::Server::run()", False, Kind.USER),
        ("std::vector<int>::push_back(int)", False, Kind.STD),
        ("void std::sort<int*>(int*, int*)", False, Kind.STD),
        ("memcpy", False, Kind.STD),
        ("__send", False, Kind.STD),
        ("epoll_wait", False, Kind.STD),
        ("send_answers", False, Kind.USER),
        ("[libstdc++.so.6.0.30]", False, Kind.STD),
        ("malloc", False, Kind.MEMORY),
        ("_int_malloc", False, Kind.MEMORY),
        ("operator new(unsigned long)", False, Kind.MEMORY),
        ("pthread_mutex_lock", False, Kind.LOCK),
        ("futex_wait", True, Kind.LOCK),
        ("__x64_sys_sendto", True, Kind.SYSCALL),
        ("tcp_sendmsg", True, Kind.KERNEL),
        ("tcp_sendmsg_[k]", False, Kind.KERNEL),
        ("[unknown]", False, Kind.UNKNOWN),
        ("[libengine.so]", False, Kind.UNKNOWN),
        ("[waited]", False, Kind.REMARK),
        ("[last sample before leaving the CPU]", False, Kind.REMARK),
        ("__x64_sys_sendto_[k]", False, Kind.SYSCALL),
        ("free_all_orders", False, Kind.USER),
    ],
)
def test_a_frame_has_a_kind(name: str, in_kernel: bool, kind: Kind) -> None:
    assert kind == frame_kind(name, in_kernel=in_kernel)


def test_a_colour_is_the_same_in_every_process() -> None:
    assert frame_colour("main", Kind.USER) == "#eca269"


def test_every_kind_has_its_own_legend_colour() -> None:
    assert len(Kind) == len({legend_colour(kind) for kind in Kind})
