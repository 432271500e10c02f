// Begins the sessions of a protocol that has them, before any load.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "client/file_descriptor.h"
#include "client/wire_codec.h"

namespace cluster {

/// Logs every connection on, some at a time; a protocol without logon is done at once.
///
/// Returns the bytes that came with each connection's answer and belong to what follows. Throws
/// LoadError when the engine refuses, with its reason, does not answer in time, or says something
/// that the schema does not know.
std::vector<std::vector<std::byte>> log_on(std::span<const FileDescriptor> sockets,
                                           std::span<WireCodec> codecs, const std::string& peer);

}  // namespace cluster
