// Opens the connections of a level.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/file_descriptor.h"

namespace cluster {

/// Opens `count` non-blocking TCP connections without Nagle's delay, some at a time.
///
/// Either all are open or LoadError says which operation failed, on which peer and why. The
/// name is resolved first; that alone is not bounded by `timeout_ns`.
std::vector<FileDescriptor> open_connections(const std::string& address, std::uint16_t port,
                                             std::uint32_t count, std::int64_t timeout_ns);

}  // namespace cluster
