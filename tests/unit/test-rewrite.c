/*
 * common/mail/rewrite: canonical forms of addresses. The tables are what trivial-rewrite of Debian
 * 13's Postfix 3.10 answers to request=rewrite, rule=local over its private/rewrite socket, with
 * myorigin orig.example, mydomain host.example and the settings that stand in the tables' names.
 * Left out: what our addresses cannot be (a quoted domain, two words), and "a@b" in quotes without
 * origin, whose quotes it loses.
 */

#include "common/base/macro.h"
#include "common/mail/rewrite.h"
#include "tests/unit/unit.h"

typedef struct Row {
        const char *address, *want;
} Row;

static const Row defaults[] = {
        { "user", "user@orig.example" },
        { "user@host", "user@host" },
        { "user@host.", "user@host" },
        { "user@host..", "user@host.." },
        { "user@.", "user@." },
        { "user@", "user@" },
        { "@", "" },
        { "\"\"", "" },
        { "\"\"@host", "\"\"@host" },
        { "@host", "\"\"@host" },
        { "@host.example", "\"\"@host.example" },
        { "user.", "\"user.\"@orig.example" },
        { "user..", "\"user..\"@orig.example" },
        { ".", "\".\"@orig.example" },
        { "..", "\"..\"@orig.example" },
        { ".user", "\".user\"@orig.example" },
        { "user@host.example", "user@host.example" },
        { "user@host.example.", "user@host.example" },
        { "User@Host.Example", "User@Host.Example" },
        { "user@[127.0.0.1]", "user@[127.0.0.1]" },
        { "user@[IPv6:::1]", "user@[IPv6:::1]" },
        { "user@[127.0.0.1].", "user@[127.0.0.1]" },
        { "host!user", "user@host" },
        { "a!b!user", "b!user@a" },
        { "!user", "user@" },
        { "host!", "\"\"@host" },
        { "host!user@dom", "host!user@dom" },
        { "host.example!user%dom", "user%dom@host.example" },
        { "user%host", "user@host" },
        { "user%a%b", "user%a@b" },
        { "%host", "\"\"@host" },
        { "user%", "user@" },
        { "user%host@dom", "user%host@dom" },
        { "\"user%host\"", "user%host@orig.example" },
        { "\"host!user\"", "host!user@orig.example" },
        { "\"host!user\"@dom", "host!user@dom" },
        { "\"a@b\"@dom", "\"a@b\"@dom" },
        { "\"a\\\"b\"@dom", "\"a\\\"b\"@dom" },
        { "\"plain\"@dom", "plain@dom" },
        { "\"john doe\"", "\"john doe\"@orig.example" },
        { "\"john doe\"@host", "\"john doe\"@host" },
        { "a@b@c", "\"a@b\"@c" },
        { "a@b@c.example", "\"a@b\"@c.example" },
        { "@a:user", "user@orig.example" },
        { "@a,@b:user@c", "user@c" },
        { "@a,@b:user@c.example", "user@c.example" },
        { "@a:user%x", "user@x" },
        { "@a:x!user", "user@x" },
        { "@a@b", "\"@a\"@b" },
        { "@a@b:user@c", "user@c" },
        { "user@host.sub", "user@host.sub" },
        { "host.example.!user", "user@host.example" },
        { "user%host.example.", "user@host.example" },
        { "us..er@host", "\"us..er\"@host" },
        { "-user@host", "-user@host" },
        { "owner+ext@host", "owner+ext@host" },
        { "MAILER-DAEMON", "MAILER-DAEMON@orig.example" },
        { "user%[1.2.3.4]", "user@[1.2.3.4]" },
        { "[1.2.3.4]!user", "user@[1.2.3.4]" },
};

static const Row with_mydomain[] = {
        { "user", "user@orig.example" },
        { "user@host", "user@host.host.example" },
        { "user@host.", "user@host" },
        { "user@host..", "user@host.." },
        { "user@.", "user@." },
        { "user@", "user@" },
        { "\"\"@host", "\"\"@host.host.example" },
        { "@host", "\"\"@host.host.example" },
        { "user@host.example", "user@host.example" },
        { "user@[127.0.0.1]", "user@[127.0.0.1]" },
        { "host!user", "user@host.host.example" },
        { "user%host", "user@host.host.example" },
        { "@a:user%x", "user@x.host.example" },
        { "user%host.example.", "user@host.example" },
        { "MAILER-DAEMON", "MAILER-DAEMON@orig.example" },
};

static const Row without_bangs[] = {
        { "host!user", "host!user@orig.example" },
        { "a!b!user", "a!b!user@orig.example" },
        { "!user", "!user@orig.example" },
        { "host!", "host!@orig.example" },
        { "host.example!user%dom", "host.example!user@dom" },
        { "@a:x!user", "x!user@orig.example" },
        { "host.example.!user", "host.example.!user@orig.example" },
        { "[1.2.3.4]!user", "\"[1.2.3.4]!user\"@orig.example" },
};

static const Row without_percents[] = {
        { "user%host", "user%host@orig.example" },
        { "user%a%b", "user%a%b@orig.example" },
        { "%host", "%host@orig.example" },
        { "user%", "user%@orig.example" },
        { "@a:user%x", "user%x@orig.example" },
        { "user%host.example.", "\"user%host.example.\"@orig.example" },
        { "user%[1.2.3.4]", "\"user%[1.2.3.4]\"@orig.example" },
};

static const Row without_origin[] = {
        { "user", "user" },
        { "user.", "user" },
        { "user..", "\"user..\"" },
        { ".", "\".\"" },
        { "..", "\"..\"" },
        { ".user", "\".user\"" },
        { "\"user%host\"", "user%host" },
        { "\"host!user\"", "host!user" },
        { "\"john doe\"", "\"john doe\"" },
        { "@a:user", "user" },
        { "MAILER-DAEMON", "MAILER-DAEMON" },
};

static const RewriteRules all_rules = {
        .origin = STR("orig.example"),
        .swap_bangpath = true,
        .allow_percent_hack = true,
};

static void assert_rewritten(const RewriteRules *rules, const char *address, const char *want) {
        _cleanup_(buf_deinit) Buf got = BUF_INIT(1000);

        ck_assert_int_eq(rewrite_address(rules, str_from_cstr(address), &got), 0);
        ck_assert_msg(str_equal(buf_str(&got), str_from_cstr(want)), "%s became %.*s, not %s",
                      address, STR_FMT(buf_str(&got)), want);
}

static void assert_rows(const RewriteRules *rules, const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                assert_rewritten(rules, rows[i].address, rows[i].want);
}

START_TEST(defaults_are_postfix_s) {
        assert_rows(&all_rules, defaults, ARRAY_LEN(defaults));
}
END_TEST

START_TEST(append_dot_mydomain_completes_a_short_domain) {
        RewriteRules rules = all_rules;

        rules.domain = STR("host.example");
        assert_rows(&rules, with_mydomain, ARRAY_LEN(with_mydomain));
}
END_TEST

START_TEST(each_transformation_can_be_off) {
        RewriteRules rules = all_rules;

        rules.swap_bangpath = false;
        assert_rows(&rules, without_bangs, ARRAY_LEN(without_bangs));
        rules.swap_bangpath = true;
        rules.allow_percent_hack = false;
        assert_rows(&rules, without_percents, ARRAY_LEN(without_percents));
        rules.allow_percent_hack = true;
        rules.origin = STR_NULL;
        assert_rows(&rules, without_origin, ARRAY_LEN(without_origin));
}
END_TEST

START_TEST(rewriting_twice_changes_nothing_more) {
        for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
                if (!str_has_suffix(str_from_cstr(defaults[i].want), STR("..")))
                        assert_rewritten(&all_rules, defaults[i].want, defaults[i].want);
}
END_TEST

START_TEST(a_result_that_does_not_fit_is_told) {
        _cleanup_(buf_deinit) Buf got = BUF_INIT(10);

        ck_assert_int_eq(rewrite_address(&all_rules, STR("user"), &got), BUF_E_FULL);
}
END_TEST

int main(void) {
        return unit_main("rewrite", defaults_are_postfix_s,
                         append_dot_mydomain_completes_a_short_domain,
                         each_transformation_can_be_off, rewriting_twice_changes_nothing_more,
                         a_result_that_does_not_fit_is_told, NULL);
}
