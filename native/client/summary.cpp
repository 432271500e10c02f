#include "client/summary.h"

#include <cmath>
#include <iomanip>
#include <memory>
#include <numeric>
#include <sstream>
#include <utility>

namespace cluster {
namespace {

std::string latency_json(const std::vector<Interval>& intervals,
                         SparseHistogram Interval::* member) {
    const auto sum = std::make_unique<Histogram<std::uint64_t>>();
    for (const Interval& interval : intervals) add_to(*sum, interval.*member);
    const auto& counts = sum->counts();
    const std::uint64_t count = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    if (count == 0) return "null";
    std::ostringstream out;
    out << "{\"count\": " << count;
    for (const auto& [name, quantile] :
         {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}, {"max", 1.0}}) {
        out << ", \"" << name << "\": " << value_at(*sum, quantile);
    }
    out << '}';
    return out.str();
}

std::string books_json(const Books& books) {
    std::ostringstream out;
    out << "{\"intended\": " << books.intended << ", \"sent\": " << books.sent
        << ", \"unsent\": " << books.unsent << ", \"accepted\": " << books.accepted
        << ", \"rejected\": " << books.rejected << ", \"timed_out\": " << books.timed_out
        << ", \"lost\": " << books.lost << '}';
    return out.str();
}

std::string errors_json(const ErrorCounts& errors) {
    std::ostringstream out;
    const char* separator = "";
    out << '{';
    for (std::size_t i = 0; i < kErrorKinds; ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        if (errors[kind] == 0) continue;
        out << separator << '"' << name_of(kind) << "\": " << errors[kind];
        separator = ", ";
    }
    out << '}';
    return out.str();
}

/// Bytes as a JSON string: what is not plain ASCII becomes the code point of the same number.
std::string quoted(const std::string& bytes) {
    std::ostringstream out;
    out << '"' << std::hex << std::setfill('0');
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\') {
            out << "\\u" << std::setw(4) << static_cast<unsigned>(byte);
        } else {
            out << c;
        }
    }
    out << '"';
    return out.str();
}

std::string reasons_json(const ReasonCounts& reasons) {
    std::ostringstream out;
    const char* separator = "";
    out << '{';
    for (const auto& [reason, count] : reasons) {
        out << separator << quoted(reason) << ": " << count;
        separator = ", ";
    }
    out << '}';
    return out.str();
}

}  // namespace

std::int64_t value_at(const Histogram<std::uint64_t>& histogram, double quantile) {
    const auto& counts = histogram.counts();
    const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    const auto rank = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(total)));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < counts.size(); ++index) {
        seen += counts[index];
        if (seen >= rank && seen > 0) {
            return static_cast<std::int64_t>(HistogramLayout::lowest_at(index + 1)) - 1;
        }
    }
    return -1;
}

void add_to(Histogram<std::uint64_t>& sum, const SparseHistogram& part) {
    for (std::size_t i = 0; i < part.indices.size(); ++i) {
        sum.add(part.indices[i], part.counts[i]);
    }
}

std::string summary_json(const Progress& progress, const std::vector<Interval>& intervals,
                         const ReasonCounts& reasons, std::int64_t duration_ns) {
    const Books& books = progress.books;
    const double answered = static_cast<double>(books.accepted + books.rejected);
    std::ostringstream out;
    out.precision(10);
    out << "{\n  \"orders\": " << books_json(books)
        << ",\n  \"errors\": " << errors_json(progress.errors)
        << ",\n  \"answered_per_s\": " << answered / (static_cast<double>(duration_ns) / 1e9)
        << ",\n  \"response_ns\": " << latency_json(intervals, &Interval::response)
        << ",\n  \"service_ns\": " << latency_json(intervals, &Interval::service)
        << ",\n  \"send_lag_ns\": " << latency_json(intervals, &Interval::send_lag)
        << ",\n  \"engine_ns\": " << latency_json(intervals, &Interval::engine)
        << ",\n  \"other_reply_ns\": " << latency_json(intervals, &Interval::other_reply)
        << ",\n  \"executions\": " << progress.executions
        << ",\n  \"remainders\": " << progress.remainders
        << ",\n  \"unsolicited\": " << progress.unsolicited
        << ",\n  \"out_of_order\": " << progress.out_of_order
        << ",\n  \"skipped\": " << progress.skipped
        << ",\n  \"reject_reasons\": " << reasons_json(reasons)
        << ",\n  \"bytes_sent\": " << progress.bytes_sent
        << ",\n  \"bytes_received\": " << progress.bytes_received << "\n}\n";
    return out.str();
}

}  // namespace cluster
