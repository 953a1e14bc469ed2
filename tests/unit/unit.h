#pragma once

/*
 * main() of a libcheck program, once: `return unit_main("module", test_a, test_b, NULL);`
 * One test alone: CK_RUN_CASE is the module, CK_RUN_SUITE likewise; see check(3).
 */

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>

/* Run SUITE (freed here); returns main's exit status. For suites with fixtures and loops. */
static inline int unit_run(Suite *suite) {
        SRunner *runner = srunner_create(suite);
        int n_failed;

        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* TESTS are names of START_TEST, NULL at the end. Returns main's exit status. */
static inline int unit_main(const char *module, ...) {
        Suite *suite = suite_create(module);
        TCase *tcase = tcase_create(module);
        const TTest *test;
        va_list tests;

        va_start(tests, module);
        while ((test = va_arg(tests, const TTest *)))
                tcase_add_test(tcase, test);
        va_end(tests);
        tcase_set_timeout(tcase, 60);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
