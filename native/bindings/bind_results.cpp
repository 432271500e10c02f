// Books, intervals and progress, as Python reads them.
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include <map>
#include <string>

#include "bindings/bindings.h"
#include "client/interval.h"
#include "client/progress.h"
#include "client/tcp_stats.h"

namespace nb = nanobind;

namespace cluster {
namespace {

template <class T>
using Array = nb::ndarray<nb::numpy, const T, nb::ndim<1>>;

/// Both arrays of a sparse histogram, without a copy: they keep their interval alive.
template <SparseHistogram Interval::* kMember>
nb::tuple arrays_of(nb::handle_t<Interval> self) {
    const SparseHistogram& sparse = nb::cast<const Interval&>(self).*kMember;
    return nb::make_tuple(
        Array<std::uint32_t>(sparse.indices.data(), {sparse.indices.size()}, self),
        Array<std::uint64_t>(sparse.counts.data(), {sparse.counts.size()}, self));
}

std::map<std::string, std::uint64_t> by_name(const ErrorCounts& errors) {
    std::map<std::string, std::uint64_t> named;
    for (std::size_t i = 0; i < kErrorKinds; ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        if (errors[kind] > 0) named[std::string(name_of(kind))] = errors[kind];
    }
    return named;
}

void bind_books(nb::module_& module) {
    nb::class_<Books>(module, "Books",
                      "Every order's fate. At the end intended = sent + unsent and\n"
                      "sent = accepted + rejected + timed_out + lost.")
        .def_ro("intended", &Books::intended)
        .def_ro("sent", &Books::sent)
        .def_ro("unsent", &Books::unsent)
        .def_ro("accepted", &Books::accepted)
        .def_ro("rejected", &Books::rejected)
        .def_ro("timed_out", &Books::timed_out)
        .def_ro("lost", &Books::lost);
}

void bind_interval(nb::module_& module) {
    const auto arrays = [](const char* name) {
        return std::string("def ") + name +
               "(self) -> tuple[numpy.typing.NDArray[numpy.uint32], "
               "numpy.typing.NDArray[numpy.uint64]]";
    };
    nb::class_<Interval>(
        module, "Interval",
        "All orders of a worker whose *intended* time lies in second `index` after the start.\n\n"
        "Handed out once each has met its fate. The histograms are sparse: indices into\n"
        "HdrHistogram's counts array, rising, and their counts. response, service and engine\n"
        "hold answered orders (accepted or rejected), send_lag every sent order; closed-loop\n"
        "send_lag is empty. other_reply is of orders with several replies only, by the second in\n"
        "which it came: the time from intended to their last reply when the first is timed, to\n"
        "their first when the last is.")
        .def_ro("index", &Interval::index)
        .def_ro("books", &Interval::books)
        .def_prop_ro("response", &arrays_of<&Interval::response>,
                     nb::for_getter(nb::sig(arrays("response").c_str())))
        .def_prop_ro("service", &arrays_of<&Interval::service>,
                     nb::for_getter(nb::sig(arrays("service").c_str())))
        .def_prop_ro("send_lag", &arrays_of<&Interval::send_lag>,
                     nb::for_getter(nb::sig(arrays("send_lag").c_str())))
        .def_prop_ro("engine", &arrays_of<&Interval::engine>,
                     nb::for_getter(nb::sig(arrays("engine").c_str())))
        .def_prop_ro("other_reply", &arrays_of<&Interval::other_reply>,
                     nb::for_getter(nb::sig(arrays("other_reply").c_str())));
}

void bind_progress(nb::module_& module) {
    nb::class_<Progress>(module, "Progress",
                         "Where the load is now; counts are cumulative since the start.\n\n"
                         "books.intended counts orders due so far; books.unsent is 0 until the "
                         "end, except\nfor orders that were encoded for a connection that was "
                         "lost. `errors` has the kinds that\nhappened, by name. executions and "
                         "remainders are follow-ups to answered orders.")
        .def_ro("now_ns", &Progress::now_ns)
        .def_ro("books", &Progress::books)
        .def_ro("in_flight", &Progress::in_flight)
        .def_ro("backlog", &Progress::backlog, "Orders due and not yet sent.")
        .def_ro("connections_open", &Progress::connections_open)
        .def_ro("bytes_sent", &Progress::bytes_sent)
        .def_ro("bytes_received", &Progress::bytes_received)
        .def_ro("executions", &Progress::executions)
        .def_ro("remainders", &Progress::remainders)
        .def_ro("unsolicited", &Progress::unsolicited,
                "Replies that match no order, as the schema says.")
        .def_ro("out_of_order", &Progress::out_of_order,
                "Answers that overtook an earlier order's.")
        .def_ro("skipped", &Progress::skipped,
                "Requests for an order known to be gone: not sent, and in no books.")
        .def_prop_ro("errors", [](const Progress& progress) { return by_name(progress.errors); })
        .def_ro("finished", &Progress::finished,
                "Every worker has ended and every interval can be taken.");
}

void bind_tcp_stats(nb::module_& module) {
    nb::class_<TcpStats>(module, "TcpStats",
                         "Sums and extremes over the connections, from the kernel's tcp_info.\n\n"
                         "With `connections` 0 nothing could be read and the rest means nothing.")
        .def_ro("connections", &TcpStats::connections)
        .def_ro("rtt_us_min", &TcpStats::rtt_us_min)
        .def_ro("rtt_us_mean", &TcpStats::rtt_us_mean)
        .def_ro("rtt_us_max", &TcpStats::rtt_us_max)
        .def_ro("min_rtt_us", &TcpStats::min_rtt_us)
        .def_ro("retransmits", &TcpStats::retransmits)
        .def_ro("busy_us", &TcpStats::busy_us)
        .def_ro("rwnd_limited_us", &TcpStats::rwnd_limited_us)
        .def_ro("sndbuf_limited_us", &TcpStats::sndbuf_limited_us);
}

}  // namespace

void bind_results(nb::module_& module) {
    bind_books(module);
    bind_interval(module);
    bind_progress(module);
    bind_tcp_stats(module);
}

}  // namespace cluster
