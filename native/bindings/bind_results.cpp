// Books, intervals and progress, as Python reads them.
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include <map>
#include <string>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "client/interval.h"
#include "client/progress.h"
#include "client/tcp_stats.h"

namespace nb = nanobind;

namespace cluster {
namespace {

/// Due and response sums by slot; places and counts of the response buckets that are not empty.
nb::tuple slots_of(nb::handle_t<Interval> self) {
    const SparseSlots& slots = nb::cast<const Interval&>(self).slots;
    return nb::make_tuple(array_of(slots.due, self), array_of(slots.places, self),
                          array_of(slots.counts, self), array_of(slots.response_sum_ns, self));
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
        .def_prop_ro("response", &histogram_of<Interval, &Interval::response>,
                     nb::for_getter(nb::sig(histogram_signature("response").c_str())))
        .def_prop_ro("service", &histogram_of<Interval, &Interval::service>,
                     nb::for_getter(nb::sig(histogram_signature("service").c_str())))
        .def_prop_ro("send_lag", &histogram_of<Interval, &Interval::send_lag>,
                     nb::for_getter(nb::sig(histogram_signature("send_lag").c_str())))
        .def_prop_ro("engine", &histogram_of<Interval, &Interval::engine>,
                     nb::for_getter(nb::sig(histogram_signature("engine").c_str())))
        .def_prop_ro("other_reply", &histogram_of<Interval, &Interval::other_reply>,
                     nb::for_getter(nb::sig(histogram_signature("other_reply").c_str())))
        .def_prop_ro(
            "slots", &slots_of,
            nb::for_getter(nb::sig(
                arrays_signature("slots", {"uint32", "uint16", "uint32", "uint64"}).c_str())),
            "By 50 ms in which orders were due: how many; places (slot · COARSE_LEN + bucket) and\n"
            "counts of response times; their sums, ns.");
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
