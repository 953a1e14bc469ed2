/* common/mail/address: splitting, quoting and header address lists (RFC 5321 4.1.2, 5322 3.4). */

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "tests/unit/unit.h"

static void assert_str(Str got, const char *want) {
        ck_assert_msg(str_equal(got, str_from_cstr(want)), "got \"%.*s\", want \"%s\"",
                      STR_FMT(got), want);
}

START_TEST(split_is_at_the_last_at_sign_outside_quotes) {
        static const struct {
                const char *address, *local, *domain;
                bool at;
        } rows[] = {
                { "a@b", "a", "b", true },
                { "root", "root", "", false },
                { "", "", "", false },
                { "a@b@c", "a@b", "c", true },
                { "\"a@b\"@c", "\"a@b\"", "c", true },
                { "\"a@b", "\"a@b", "", false },
                { "\"a\\\"@b\"@c", "\"a\\\"@b\"", "c", true },
                { "\"a\\", "\"a\\", "", false },
                { "a@", "a", "", true },
                { "@b", "", "b", true },
                { "u@[IPv6:::1]", "u", "[IPv6:::1]", true },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Str local, domain;

                ck_assert(address_split(str_from_cstr(rows[i].address), &local, &domain) ==
                          rows[i].at);
                assert_str(local, rows[i].local);
                assert_str(domain, rows[i].domain);
        }
}
END_TEST

START_TEST(sane_addresses_carry_nothing_that_could_end_a_line_or_a_path) {
        static const char *const sane[] = {
                "a@b",  "root",        "\"john doe\"@b", "\"a<b>\"@c", "J\xc3\xbcrgen@b",
                "|cmd", "\"a\\\"b\"@c"
        };
        static const char *const odd[] = { "",      "a b@c", "a\n@b",  "a\x7f@b",
                                           "<a@b>", "a>@b",  "\"a@b",  "\"a\nb\"@c",
                                           "\"a\\", "a\t@b", "a@b\r\n" };
        char *many = malloc(ENVELOPE_ADDRESS_MAX + 1);

        for (size_t i = 0; i < ARRAY_LEN(sane); i++)
                ck_assert_msg(address_is_sane(str_from_cstr(sane[i])), "%s", sane[i]);
        for (size_t i = 0; i < ARRAY_LEN(odd); i++)
                ck_assert_msg(!address_is_sane(str_from_cstr(odd[i])), "%s", odd[i]);
        ck_assert(!address_is_sane(str_from("a\0b", 3)));
        memset(many, 'a', ENVELOPE_ADDRESS_MAX + 1);
        ck_assert(address_is_sane(str_from(many, ENVELOPE_ADDRESS_MAX)));
        ck_assert(!address_is_sane(str_from(many, ENVELOPE_ADDRESS_MAX + 1)));
        free(many);
}
END_TEST

START_TEST(local_parts_lose_and_regain_their_quotes) {
        static const struct {
                const char *quoted, *plain;
        } rows[] = {
                { "root", "root" },
                { "john.doe", "john.doe" },
                { "\"john doe\"", "john doe" },
                { "\"a\\\"b\\\\c\"", "a\"b\\c" },
                { "\"\"", "" },
                { "\"a..b\"", "a..b" },
                { "\"a.\"", "a." },
                { "J\xc3\xbcrgen", "J\xc3\xbcrgen" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf plain = BUF_INIT(100), quoted = BUF_INIT(100);

                ck_assert_int_eq(address_unquote_local(str_from_cstr(rows[i].quoted), &plain), 0);
                assert_str(buf_str(&plain), rows[i].plain);
                ck_assert_int_eq(address_quote_local(str_from_cstr(rows[i].plain), &quoted), 0);
                assert_str(buf_str(&quoted), rows[i].quoted);
        }
}
END_TEST

/* All of a list in one text: addresses between bars, "!" for an element that made no sense. */
static void walk(Str list, Buf *ret) {
        _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        int r;

        while ((r = address_list_next(&list, &address)) != ADDRESS_E_END) {
                ck_assert(r == 0 || r == ADDRESS_E_SYNTAX);
                (void)buf_append_str(ret, r == 0 ? buf_str(&address) : STR("!"));
                (void)buf_append_char(ret, '|');
        }
        ck_assert_int_eq((int)list.len, 0);
}

START_TEST(lists_yield_addresses_without_their_ornaments) {
        static const struct {
                const char *list, *want;
        } rows[] = {
                { "", "" },
                { " ,, ,", "" },
                { "root", "root|" },
                { "a@b, c@d", "a@b|c@d|" },
                { "A <a@b>, group: c@d;, e@f (comment)", "a@b|c@d|e@f|" },
                { "undisclosed-recipients:;", "" },
                { "\"Doe, John\" <j@d>", "j@d|" },
                { "John Q. Public\n <j@d>", "j@d|" },
                { "(a, b) c@d (e (f) g)", "c@d|" },
                { "john . doe @ example . org", "john.doe@example.org|" },
                { "<@x,@y:u@d>", "u@d|" },
                { "<>", "|" },
                { "\"john doe\"@b", "\"john doe\"@b|" },
                { "\"plain\"@b", "plain@b|" },
                { "a..b@c", "\"a..b\"@c|" },
                { "\"\"@d", "\"\"@d|" },
                { "u@[1.2.3.4]", "u@[1.2.3.4]|" },
                { "u%d2@d, d2!u@d", "u%d2@d|d2!u@d|" },
                /* as Postfix: a missing comma is added */
                { "root postmaster", "root|postmaster|" },
                { "a@b c@d e", "a@b|c@d|e|" },
                { "A <a@b> B <c@d> e", "a@b|c@d|e|" },
                { "J\xc3\xbcrgen <j@d>", "j@d|" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf got = BUF_INIT(1000);

                walk(str_from_cstr(rows[i].list), &got);
                assert_str(buf_str(&got), rows[i].want);
        }
}
END_TEST

START_TEST(lists_go_on_behind_what_makes_no_sense) {
        static const struct {
                const char *list, *want;
        } rows[] = {
                { "a@, b@c", "!|b@c|" },   { "@d, b@c", "!|b@c|" },
                { "a@b@c, d", "!|d|" },    { "a\\b, c", "!|c|" },
                { "<a@b, c@d", "!|c@d|" }, { "<a b>, c", "!|c|" },
                { "a@b>, c", "!|c|" },     { "\"abc", "!|" },
                { "(abc", "!|" },          { "u@[1.2.3, x", "!|" },
                { "a), b", "!|b|" },       { "<a@b:c>, d", "!|d|" },
                { "<@x,u@d", "!|" },       { "a[b]@c, d", "a|!|d|" },
                { "a@\"b\", d", "!|d|" },  { "a@[b][c], d", "a@[b]|!|d|" },
                { "\\ <a@b>", "a@b|" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf got = BUF_INIT(1000);

                walk(str_from_cstr(rows[i].list), &got);
                assert_str(buf_str(&got), rows[i].want);
        }
        {
                _cleanup_(buf_deinit) Buf got = BUF_INIT(1000);

                walk(str_from("a\0b@c, d", 8), &got);
                assert_str(buf_str(&got), "!|d|");
        }
}
END_TEST

START_TEST(comments_nest_100_deep_and_no_deeper) {
        _cleanup_(buf_deinit) Buf list = BUF_INIT(10000), got = BUF_INIT(1000);

        for (int depth = 100; depth <= 101; depth++) {
                for (int i = 0; i < depth; i++)
                        (void)buf_append_char(&list, '(');
                for (int i = 0; i < depth; i++)
                        (void)buf_append_char(&list, ')');
                (void)buf_append_cstr(&list, "a@b,");
        }
        walk(buf_str(&list), &got);
        assert_str(buf_str(&got), "a@b|!|");
}
END_TEST

/* One megabyte of each in linear time: two seconds are a hundred times what it takes. */
START_TEST(hostile_megabytes_cost_linear_time) {
        static const char *const patterns[] = { "(",   "<", "a ",     "\"", "a@b,", "\\", ",",
                                                "(a)", ":", "\"a\" ", "[",  "<@",   "." };

        for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
                _cleanup_(buf_deinit) Buf list = BUF_INIT(1 << 20);
                _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
                usec_t start = clock_monotonic_usec();
                Str rest;

                while (buf_append_cstr(&list, patterns[i]) == 0)
                        ;
                rest = buf_str(&list);
                while (address_list_next(&rest, &address) != ADDRESS_E_END)
                        ;
                ck_assert_msg(clock_monotonic_usec() - start < 2 * USEC_PER_SEC, "%s", patterns[i]);
        }
}
END_TEST

START_TEST(an_address_beyond_the_buffer_is_a_syntax_error) {
        _cleanup_(buf_deinit) Buf list = BUF_INIT(100), address = BUF_INIT(8);
        Str rest;

        (void)buf_append_cstr(&list, "abcdefghijk@d, a@b");
        rest = buf_str(&list);
        ck_assert_int_eq(address_list_next(&rest, &address), ADDRESS_E_SYNTAX);
        ck_assert_int_eq(address_list_next(&rest, &address), 0);
        assert_str(buf_str(&address), "a@b");
}
END_TEST

int main(void) {
        return unit_main("address", split_is_at_the_last_at_sign_outside_quotes,
                         sane_addresses_carry_nothing_that_could_end_a_line_or_a_path,
                         local_parts_lose_and_regain_their_quotes,
                         lists_yield_addresses_without_their_ornaments,
                         lists_go_on_behind_what_makes_no_sense,
                         comments_nest_100_deep_and_no_deeper, hostile_megabytes_cost_linear_time,
                         an_address_beyond_the_buffer_is_a_syntax_error, NULL);
}
