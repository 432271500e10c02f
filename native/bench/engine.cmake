# The reference engine's own figures.
add_executable(engine_book engine_book.cpp)
target_link_libraries(engine_book PRIVATE loadcluster_book loadcluster_flow)
