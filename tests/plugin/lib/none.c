/* A shared library that is no plugin. */
int hone_test_not_a_plugin(void) { return 1; }
