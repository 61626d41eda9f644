// Stands in where CMake insists on a source.
