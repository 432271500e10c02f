# The load client's own figures.
add_library(bench_ack_server STATIC ack_server.cpp)
target_link_libraries(bench_ack_server PUBLIC loadcluster_client)
add_executable(client_capacity client_capacity.cpp)
target_link_libraries(client_capacity PRIVATE bench_ack_server)
add_executable(client_record_cost client_record_cost.cpp)
target_link_libraries(client_record_cost PRIVATE loadcluster_client)
