#include "client/progress.h"

namespace cluster {
namespace {

// One list of the numbers for both ways, so that they cannot disagree.
template <class P>
auto numbers_of(P& p) {
    return std::array{&p.books.intended, &p.books.sent,      &p.books.unsent,   &p.books.accepted,
                      &p.books.rejected, &p.books.timed_out, &p.books.lost,     &p.connections_open,
                      &p.backlog,        &p.bytes_sent,      &p.bytes_received, &p.executions,
                      &p.remainders,     &p.unsolicited,     &p.out_of_order,   &p.skipped};
}

}  // namespace

Progress& Progress::operator+=(const Progress& other) noexcept {
    const auto theirs = numbers_of(other);
    const auto ours = numbers_of(*this);
    for (std::size_t i = 0; i < ours.size(); ++i) *ours[i] += *theirs[i];
    in_flight += other.in_flight;
    for (std::size_t i = 0; i < kErrorKinds; ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        errors[kind] += other.errors[kind];
    }
    return *this;
}

void PublishedProgress::publish(const Progress& progress) noexcept {
    std::size_t next = 0;
    for (const std::uint64_t* number : numbers_of(progress)) {
        numbers_[next++].store(*number, std::memory_order_relaxed);
    }
    for (std::size_t i = 0; i < kErrorKinds; ++i) {
        numbers_[next++].store(progress.errors[static_cast<ErrorKind>(i)],
                               std::memory_order_relaxed);
    }
}

Progress PublishedProgress::read() const noexcept {
    Progress progress;
    std::size_t next = 0;
    for (std::uint64_t* number : numbers_of(progress)) {
        *number = numbers_[next++].load(std::memory_order_relaxed);
    }
    for (std::size_t i = 0; i < kErrorKinds; ++i) {
        progress.errors[static_cast<ErrorKind>(i)] =
            numbers_[next++].load(std::memory_order_relaxed);
    }
    // Read one by one while the worker goes on, so the fates may run ahead of `sent`.
    const Books& b = progress.books;
    const std::uint64_t fates = b.accepted + b.rejected + b.timed_out + b.lost;
    progress.in_flight = b.sent > fates ? b.sent - fates : 0;
    return progress;
}

}  // namespace cluster
