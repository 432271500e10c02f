// What happened within a second, and the host's jitter, as Python reads them.
#include <string>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "client/activity.h"
#include "client/jitter_meter.h"
#include "client/over_time.h"

namespace nb = nanobind;

namespace cluster {
namespace {

template <auto kMember>
auto numbers() {
    return [](nb::handle_t<Activity> self) {
        return array_of(nb::cast<const Activity&>(self).*kMember, self);
    };
}

std::string numbers_signature(const char* name, const char* type) {
    return std::string("def ") + name + "(self) -> numpy.typing.NDArray[numpy." + type + "]";
}

void bind_activity(nb::module_& module) {
    nb::class_<Activity>(
        module, "Activity",
        "What a worker did in second `index` after the start, by its clock: orders sent per ms,\n"
        "the integral of orders in flight over each 50 ms (order·ns), when the orders of the\n"
        "second's sample slice were sent (ns after the second began), and sparse histograms:\n"
        "poll_gap of the event loop's passes less the sleep that was meant; kernel_send and\n"
        "kernel_receive of a sample of orders by the kernel's time stamps.")
        .def_ro("index", &Activity::index)
        .def_prop_ro("sent_per_ms", numbers<&Activity::sent_per_ms>(),
                     nb::for_getter(nb::sig(numbers_signature("sent_per_ms", "uint32").c_str())))
        .def_prop_ro(
            "in_flight_order_ns", numbers<&Activity::in_flight_order_ns>(),
            nb::for_getter(nb::sig(numbers_signature("in_flight_order_ns", "uint64").c_str())))
        .def_prop_ro("send_sample_ns", numbers<&Activity::send_sample_ns>(),
                     nb::for_getter(nb::sig(numbers_signature("send_sample_ns", "uint32").c_str())))
        .def_ro("sample_cut", &Activity::sample_cut, "More was sent in the slice than was kept.")
        .def_prop_ro("poll_gap", &histogram_of<Activity, &Activity::poll_gap>,
                     nb::for_getter(nb::sig(histogram_signature("poll_gap").c_str())))
        .def_prop_ro("kernel_send", &histogram_of<Activity, &Activity::kernel_send>,
                     nb::for_getter(nb::sig(histogram_signature("kernel_send").c_str())))
        .def_prop_ro("kernel_receive", &histogram_of<Activity, &Activity::kernel_receive>,
                     nb::for_getter(nb::sig(histogram_signature("kernel_receive").c_str())));
}

void bind_jitter(nb::module_& module) {
    nb::class_<Jitter>(module, "Jitter",
                       "By how much a thread overslept that does nothing else: sparse histograms.")
        .def_prop_ro("before", &histogram_of<Jitter, &Jitter::before>,
                     nb::for_getter(nb::sig(histogram_signature("before").c_str())),
                     "From the moment all connections were up until the start.")
        .def_prop_ro("during", &histogram_of<Jitter, &Jitter::during>,
                     nb::for_getter(nb::sig(histogram_signature("during").c_str())),
                     "From the start to the end of sending.");
}

}  // namespace

void bind_over_time(nb::module_& module) {
    module.attr("COARSE_LEN") = CoarseLayout::kLen;
    module.def(
        "coarse_index",
        [](std::uint64_t value_ns) {
            if (value_ns > HistogramLayout::kHighestNs) {
                throw nb::value_error("value_ns must be at most HISTOGRAM_HIGHEST_NS");
            }
            return CoarseLayout::index_of(value_ns);
        },
        nb::arg("value_ns"), "Bucket of a value in the coarse histograms of slots.");
    module.def(
        "sample_start_ns",
        [](std::int64_t width_ns, std::int64_t second) {
            return SampleSlice{width_ns}.start_ns(second);
        },
        nb::arg("width_ns"), nb::arg("second"),
        "Where the sampled part of a second begins, ns after it.");
    bind_activity(module);
    bind_jitter(module);
}

}  // namespace cluster
