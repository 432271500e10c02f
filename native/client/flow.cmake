# The order flow on its own: the load client sends it, the engine's tests and benchmarks feed on it.
add_library(loadcluster_flow STATIC ${CMAKE_CURRENT_LIST_DIR}/order_flow.cpp)
target_link_libraries(loadcluster_flow PUBLIC loadcluster_options)
