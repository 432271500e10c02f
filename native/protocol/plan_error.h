// A plan that can't be used.
#pragma once

#include <stdexcept>

namespace cluster::protocol {

/// What is wrong with a plan's text, in one sentence with its line.
class PlanError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace cluster::protocol
