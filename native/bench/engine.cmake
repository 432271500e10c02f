# The reference engine's own figures.
add_executable(engine_book engine_book.cpp)
target_link_libraries(engine_book PRIVATE loadcluster_book loadcluster_flow)
add_executable(engine_loopback engine_loopback.cpp)
target_link_libraries(engine_loopback PRIVATE loadcluster_server loadcluster_flow)
