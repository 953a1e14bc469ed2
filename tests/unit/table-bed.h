#pragma once

/* One table under test, and what it answers: for the tests of the types of tables. */

#include <stdio.h>
#include <string.h>

#include "common/mail/table.h"
#include "tests/unit/unit.h"

static Table *table;
static Buf value;

static inline void table_bed_set_up(void) {
        value = BUF_INIT(TABLE_VALUE_MAX);
}

static inline void table_bed_tear_down(void) {
        table = table_free(table);
        buf_deinit(&value);
}

/* SPEC takes the place of the table before. CONTEXT may be NULL. */
static inline void table_bed_make(const char *spec, const TableContext *context) {
        const char *reason = NULL;

        table = table_free(table);
        ck_assert_msg(table_new(str_from_cstr(spec), context, &table, &reason) == 0, "%s: %s", spec,
                      reason);
}

/* A value is TEXT, the text of an error has it in it. */
static inline void table_bed_expect(const char *key, TableResult result, const char *text) {
        TableResult got;

        buf_reset(&value);
        got = table_lookup_wait(table, str_from_cstr(key), &value);
        ck_assert_msg(got == result, "%s: %d, %s", key, got, buf_cstr(&value));
        ck_assert_msg(strstr(buf_cstr(&value), text) != NULL, "%s: %s", key, buf_cstr(&value));
        if (result == TABLE_FOUND)
                ck_assert_str_eq(buf_cstr(&value), text);
}
