/* The record about an index: to text and back, and what is none. */

#include "common/mail/table-about.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static const char record[] =
        "2\naliases\nlast\n1700000000\n999999999\n77\n123\n4201\n42\n33188\n/a\nb";

START_TEST(a_record_reads_back_as_it_was_written) {
        Buf text = BUF_INIT(1024);
        TableAbout about;
        TableAbout again;

        ck_assert(table_about_parse(str_from_cstr(record), &about));
        ck_assert_int_eq(about.syntax, TABLE_SYNTAX_ALIASES);
        ck_assert_uint_eq(about.rules, TABLE_RULE_LAST_COUNTS);
        ck_assert_int_eq(about.stamp.mtime.tv_sec, 1700000000);
        ck_assert_int_eq(about.stamp.mtime.tv_nsec, 999999999);
        ck_assert_int_eq(about.stamp.size_bytes, 77);
        ck_assert_uint_eq(about.stamp.inode, 123);
        ck_assert_uint_eq(about.stamp.uid, 4201);
        ck_assert_uint_eq(about.stamp.gid, 42);
        ck_assert_uint_eq(about.stamp.mode, 0100644);
        ck_assert(str_equal(about.source, STR("/a\nb")));
        ck_assert_int_eq(table_about_append(&about, &text), 0);
        ck_assert_str_eq(buf_cstr(&text), record);
        about.syntax = TABLE_SYNTAX_MAP;
        about.rules = 0;
        about.stamp.mtime.tv_sec = -5; /* before 1970 */
        buf_reset(&text);
        ck_assert_int_eq(table_about_append(&about, &text), 0);
        ck_assert(table_about_parse(buf_str(&text), &again));
        ck_assert_int_eq(again.syntax, TABLE_SYNTAX_MAP);
        ck_assert_uint_eq(again.rules, 0);
        ck_assert(table_stamp_equal(&again.stamp, &about.stamp));
        buf_deinit(&text);
}
END_TEST

static const char *const bad_records[] = {
        "",
        "2",
        "1\n1700000000.999999999\n/etc/aliases", /* the format before */
        "3\naliases\nlast\n1\n2\n3\n4\n5\n6\n7\n/a",
        "2\nother\nlast\n1\n2\n3\n4\n5\n6\n7\n/a",
        "2\naliases\nnone\n1\n2\n3\n4\n5\n6\n7\n/a",
        "2\naliases\nlast\n1\n1000000000\n3\n4\n5\n6\n7\n/a",
        "2\naliases\nlast\n1\n2\n9223372036854775808\n4\n5\n6\n7\n/a",
        "2\naliases\nlast\n1\n2\n3\n4\n4294967296\n6\n7\n/a",
        "2\naliases\nlast\n1\n2\n3\n4\n5\n-6\n7\n/a",
        "2\naliases\nlast\n1\n2\n3\n4\n5\n6",
        "2\nmap\ncase\n1\n2\n3\n4\n5\n6\n7\n/a",
        "2\nmap\nfirst last\n1\n2\n3\n4\n5\n6\n7\n/a",
        "2\nmap\nfirst other\n1\n2\n3\n4\n5\n6\n7\n/a",
        "2\nmap\nfirst  case\n1\n2\n3\n4\n5\n6\n7\n/a",
};

START_TEST(what_is_no_record_is_refused) {
        TableAbout about;

        ck_assert(!table_about_parse(str_from_cstr(bad_records[_i]), &about));
}
END_TEST

START_TEST(all_rules_read_back) {
        for (unsigned rules = 0; rules <= TABLE_RULES_ALL; rules++) {
                TableAbout about = { .rules = rules, .source = STR("/a") };
                Buf text = BUF_INIT(1024);

                ck_assert(table_about_is_without_source(&about));
                ck_assert_int_eq(table_about_append(&about, &text), 0);
                ck_assert(table_about_parse(buf_str(&text), &about));
                ck_assert_uint_eq(about.rules, rules);
                buf_deinit(&text);
        }
}
END_TEST

START_TEST(each_part_of_a_state_counts) {
        const TableStamp base = { .inode = 1, .size_bytes = 2, .mtime = { 3, 4 }, .uid = 5 };
        TableStamp others[7];

        for (size_t i = 0; i < ARRAY_LEN(others); i++)
                others[i] = base;
        others[0].inode++;
        others[1].size_bytes++;
        others[2].mtime.tv_sec++;
        others[3].mtime.tv_nsec++;
        others[4].uid++;
        others[5].gid++;
        others[6].mode++;
        for (size_t i = 0; i < ARRAY_LEN(others); i++)
                ck_assert_msg(!table_stamp_equal(&base, &others[i]), "part %zu", i);
        ck_assert(table_stamp_equal(&base, &base));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-about");
        TCase *tcase = tcase_create("record");

        tcase_add_test(tcase, a_record_reads_back_as_it_was_written);
        tcase_add_loop_test(tcase, what_is_no_record_is_refused, 0, ARRAY_LEN(bad_records));
        tcase_add_test(tcase, all_rules_read_back);
        tcase_add_test(tcase, each_part_of_a_state_counts);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
