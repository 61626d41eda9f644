# cmake --install: headers, libraries, find_package(hone), hone.pc.
