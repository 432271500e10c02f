// Accepts connections, also when no file descriptor is left for them.
#pragma once

#include <cstdint>
#include <utility>

#include "client/file_descriptor.h"

namespace cluster::engine {

/// The accepting end of a listening socket, which it does not own.
class Acceptor {
public:
    explicit Acceptor(int listener);

    int listener() const noexcept { return listener_; }

    /// The next connection's descriptor, non-blocking and without Nagle's delay; the caller's to
    /// close. -1 when none waits.
    int next();

    /// Connections closed at once because no descriptor was left, since this was last asked.
    std::uint64_t take_refused() noexcept { return std::exchange(refused_, 0); }

private:
    bool refuse_one();

    int listener_;
    FileDescriptor spare_;  ///< given up for a moment to refuse a connection
    std::uint64_t refused_ = 0;
};

}  // namespace cluster::engine
