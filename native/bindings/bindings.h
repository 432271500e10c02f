// What module.cpp puts together. No logic lives in the bindings.
#pragma once

#include <nanobind/nanobind.h>

namespace cluster {

void bind_results(nanobind::module_& module);
void bind_load(nanobind::module_& module);

}  // namespace cluster
