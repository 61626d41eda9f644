# cmake --install: headers, libraries, the hone command, find_package(hone) with the targets hone::hone, hone::runtime and
# hone::vision, and the pkg-config files hone.pc, hone-runtime.pc and hone-vision.pc. The installed tree may be moved: nothing
# in it names its own place.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hone)
set(libraries hone_runtime)
set_target_properties(hone_runtime PROPERTIES EXPORT_NAME runtime)
if(HONE_BUILDER)
  list(APPEND libraries hone)
endif()
if(TARGET hone_vision)
  list(APPEND libraries hone_vision)
  set_target_properties(hone_vision PROPERTIES EXPORT_NAME vision)
  set(requires_hone_vision "Requires: hone\n")  # on a device that runs engines only: link hone-runtime in its place
endif()
install(TARGETS ${libraries} EXPORT hone LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT hone NAMESPACE hone:: FILE hone-config.cmake DESTINATION ${config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hone-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hone-config-version.cmake DESTINATION ${config_dir})
install(DIRECTORY include/hone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
file(RELATIVE_PATH lib_from_bin /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set_target_properties(hone_cli PROPERTIES INSTALL_RPATH $ORIGIN/${lib_from_bin})
install(TARGETS hone_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

foreach(library IN LISTS libraries)
  string(REPLACE _ - pc ${library})
  set(requires "${requires_${library}}")
  file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${pc}.pc @ONLY CONTENT "prefix=\${pcfiledir}/@prefix_from_pc@
libdir=\${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=\${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: @pc@
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
@requires@Libs: -L\${libdir} -l@library@
Cflags: -I\${includedir}
")
  install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
