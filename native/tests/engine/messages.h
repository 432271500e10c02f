// Short ways to write the messages that tests send.
#pragma once

#include <cstdint>

#include "wire/orderwire.h"

namespace cluster::engine::test {

template <class Message>
orderwire::Header header(orderwire::Type type, std::uint32_t symbol, std::uint8_t detail = 0) {
    return {static_cast<std::uint16_t>(sizeof(Message)), type, detail, symbol};
}

inline orderwire::New new_order(std::uint64_t id, orderwire::Side side, std::int64_t price,
                                std::uint32_t quantity, std::uint32_t symbol = 0,
                                orderwire::OrderType type = orderwire::OrderType::kLimit) {
    return {header<orderwire::New>(orderwire::Type::kNew, symbol, static_cast<std::uint8_t>(type)),
            id,
            price,
            quantity,
            side,
            {}};
}

inline orderwire::Replace replace_order(std::uint64_t id, std::uint64_t target, std::int64_t price,
                                        std::uint32_t quantity, std::uint32_t symbol = 0) {
    return {header<orderwire::Replace>(orderwire::Type::kReplace, symbol),
            id,
            target,
            price,
            quantity,
            {}};
}

inline orderwire::Cancel cancel_order(std::uint64_t id, std::uint64_t target,
                                      std::uint32_t symbol = 0) {
    return {header<orderwire::Cancel>(orderwire::Type::kCancel, symbol), id, target};
}

}  // namespace cluster::engine::test
