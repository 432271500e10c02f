// The kernel's time stamps of what a socket sends and receives, by software.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "client/network.h"

namespace cluster {

/// Lets a connected TCP socket stamp what it receives, and the sends for which it is asked.
///
/// Returns why it can't, or nothing. All that was sent before must have been acknowledged.
std::string begin_time_stamps(int fd);

/// send() whose last byte the kernel stamps when it hands it to the device.
IoResult send_stamped(int fd, std::span<const std::byte> bytes) noexcept;

/// recv() that tells when the last byte it brings came, CLOCK_REALTIME; 0: the kernel did not say.
IoResult recv_stamped(int fd, std::span<std::byte> bytes, std::int64_t& realtime_ns) noexcept;

/// Takes the next stamp of a send from the socket's error queue. False: none is there.
bool take_stamp(int fd, SendStamp& stamp) noexcept;

/// What a failed send() or recv() means.
IoResult failed_io(int error) noexcept;

}  // namespace cluster
