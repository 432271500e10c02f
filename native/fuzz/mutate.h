// Mutations that know what a reply is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/random.h"
#include "protocol/plan.h"

/// libFuzzer's own mutation of bytes.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace cluster::fuzz {

/// A reply that some rule of the plan describes; its id is small, as the first orders' are.
std::vector<std::byte> some_reply(const protocol::Plan& plan, Random& random);

/// Puts a reply somewhere into data[from, size), twice, cut or lengthened at times. Returns the new
/// size, at most `most`.
std::size_t insert_reply(const protocol::Plan& plan, Random& random, std::uint8_t* data,
                         std::size_t from, std::size_t size, std::size_t most);

}  // namespace cluster::fuzz
