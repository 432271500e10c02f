#include <nanobind/nanobind.h>

#include "bindings/bindings.h"
#include "client/clock.h"
#include "client/errors.h"
#include "client/histogram.h"

namespace nb = nanobind;

NB_MODULE(_native, module) {
    using namespace cluster;
    module.doc() = "The native load client: one level of load from this process.";
    nb::exception<LoadError>(module, "LoadError", PyExc_RuntimeError);
    module.def("now_ns", &MonotonicClock::now_ns,
               "CLOCK_MONOTONIC in ns: the clock of every time this module takes or gives.");
    module.attr("HISTOGRAM_COUNTS_LEN") = HistogramLayout::kCountsLen;
    module.attr("HISTOGRAM_HIGHEST_NS") = HistogramLayout::kHighestNs;
    module.def(
        "histogram_index",
        [](std::uint64_t value_ns) {
            if (value_ns > HistogramLayout::kHighestNs) {
                throw nb::value_error("value_ns must be at most HISTOGRAM_HIGHEST_NS");
            }
            return HistogramLayout::index_of(value_ns);
        },
        nb::arg("value_ns"),
        "Index of a value in HdrHistogram's counts array (lowest 1 ns, highest 1 h, 3 digits).");
    bind_results(module);
    bind_over_time(module);
    bind_load(module);
}
