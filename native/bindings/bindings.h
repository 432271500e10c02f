// What module.cpp puts together. No logic lives in the bindings.
#pragma once

#include <nanobind/nanobind.h>

namespace cluster {

class LoadClient;

void bind_results(nanobind::module_& module);
void bind_over_time(nanobind::module_& module);
void bind_load(nanobind::module_& module);
void bind_replay_types(nanobind::module_& module);
void bind_replay_calls(nanobind::class_<LoadClient>& client);

}  // namespace cluster
