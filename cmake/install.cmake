# The installed runtime: library, headers, find_package(zeropoint), pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS zeropoint EXPORT zeropointTargets COMPONENT runtime
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT runtime)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/zeropoint)
install(EXPORT zeropointTargets NAMESPACE zeropoint:: DESTINATION ${package_folder} COMPONENT runtime)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/zeropointConfig.cmake.in zeropointConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(zeropointConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/zeropointConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/zeropointConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT runtime)
# Made while installing, for it names the prefix, which `cmake --install --prefix` may change.
install(CODE "set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
              set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
              set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
              set(PROJECT_VERSION \"${PROJECT_VERSION}\")
              configure_file(\"${CMAKE_CURRENT_LIST_DIR}/zeropoint.pc.in\"
                             \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/zeropoint.pc\" @ONLY)"
        COMPONENT runtime)
