#include "common/mail/address.h"

#include <errno.h>

#include "common/mail/address-token.h"
#include "common/mail/envelope.h"

/* Words without a comma between them that one element may have; more is not an address list. */
#define ADJACENT_WORDS_MAX 100

/*
 * Where the bytes of an address are read as operators: outside of quotes and domain literals. A '['
 * that is not closed before a quote begins is a byte like any other, so that quotes are the same
 * for all who read an address.
 */
typedef struct Scan {
        Str address;
        size_t at;
        bool quoted;
        size_t literals_from; /* no literal begins before this: not to be looked for again */
} Scan;

/* Behind the domain literal that begins at scan->at, or at its '['. */
static void skip_literal(Scan *scan) {
        size_t i = scan->at;

        while (i < scan->address.len && scan->address.data[i] != ']' &&
               scan->address.data[i] != '"')
                i++;
        if (i < scan->address.len && scan->address.data[i] == ']')
                scan->at = i;
        else
                scan->literals_from = i;
}

/* Step over the byte at scan->at, or over the quoted pair or literal that begins there. */
static void scan_step(Scan *scan) {
        char c = scan->address.data[scan->at];

        if (c == '"')
                scan->quoted = !scan->quoted;
        else if (scan->quoted && c == '\\')
                scan->at++;
        else if (!scan->quoted && c == '[' && scan->at >= scan->literals_from)
                skip_literal(scan);
        scan->at++;
}

/* The next OPERATOR from scan->at on, behind which the scan then stands; false at the end. */
static bool scan_operator(Scan *scan, char operator, size_t * ret) {
        while (scan->at < scan->address.len) {
                *ret = scan->at;
                scan_step(scan);
                if (!scan->quoted && scan->address.data[*ret] == operator)
                        return true;
        }
        return false;
}

size_t address_find_first(Str address, char operator) {
        Scan scan = { .address = address };
        size_t at;

        return scan_operator(&scan, operator, & at) ? at : address.len;
}

size_t address_find_last(Str address, char operator) {
        Scan scan = { .address = address };
        size_t at, last = address.len;

        while (scan_operator(&scan, operator, & at))
                last = at;
        return last;
}

bool address_split(Str address, Str *ret_local, Str *ret_domain) {
        size_t at = address_find_last(address, '@');

        *ret_local = str_first(address, at);
        *ret_domain = at < address.len ? str_skip(address, at + 1) : STR_NULL;
        return at < address.len;
}

bool address_is_sane(Str address) {
        bool quoted = false;

        if (address.len == 0 || address.len > ENVELOPE_ADDRESS_MAX)
                return false;
        for (size_t i = 0; i < address.len; i++) {
                char c = address.data[i];

                if (ascii_is_control(c))
                        return false;
                if (c == '"')
                        quoted = !quoted;
                else if (!quoted && (c == ' ' || c == '<' || c == '>'))
                        return false;
                else if (quoted && c == '\\' &&
                         (++i == address.len || ascii_is_control(address.data[i])))
                        return false;
        }
        return !quoted;
}

int address_unquote_local(Str local, Buf *ret) {
        bool quoted = false;
        int r = 0;

        for (size_t i = 0; i < local.len && r == 0; i++) {
                if (local.data[i] == '"') {
                        quoted = !quoted;
                        continue;
                }
                if (quoted && local.data[i] == '\\' && i + 1 < local.len)
                        i++;
                r = buf_append_char(ret, local.data[i]);
        }
        return r;
}

static bool is_dot_string(Str local) {
        char before = '.';

        for (size_t i = 0; i < local.len; i++) {
                if (!address_is_atext(local.data[i]) && (local.data[i] != '.' || before == '.'))
                        return false;
                before = local.data[i];
        }
        return before != '.';
}

int address_quote_local(Str local, Buf *ret) {
        if (is_dot_string(local))
                return buf_append_str(ret, local);
        (void)buf_append_char(ret, '"');
        for (size_t i = 0; i < local.len; i++) {
                if (local.data[i] == '"' || local.data[i] == '\\')
                        (void)buf_append_char(ret, '\\');
                (void)buf_append_char(ret, local.data[i]);
        }
        return buf_append_char(ret, '"');
}

int address_requote_local(Str local, Buf *ret) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(local.len);
        int r;

        if (is_dot_string(local))
                return buf_append_str(ret, local);
        r = address_unquote_local(local, &name);
        return r == 0 ? address_quote_local(buf_str(&name), ret) : r;
}

/* ---- address lists ---- */

/* Append a word without the line ends that folding may have put into a quoted string. */
static void append_word(Buf *ret, Str word) {
        for (size_t i = 0; i < word.len; i++)
                if (word.data[i] != '\r' && word.data[i] != '\n')
                        (void)buf_append_char(ret, word.data[i]);
}

/* Atoms and dots, or one domain literal. */
static bool is_domain(Str domain) {
        bool literal = domain.len > 2 && domain.data[0] == '[' && str_find_last(domain, '[') == 0 &&
                       str_find(domain, ']') == domain.len - 1;

        for (size_t i = 0; i < domain.len; i++) {
                char c = domain.data[i];

                if (literal ? c == '\\' : !address_is_atext(c) && c != '.')
                        return false;
        }
        return domain.len > 0;
}

/* Atoms, dots and quoted strings: no domain literal, and no '@' but in quotes. */
static bool is_local(Str local) {
        bool quoted = false;

        for (size_t i = 0; i < local.len; i++) {
                if (quoted && local.data[i] == '\\')
                        i++;
                else if (local.data[i] == '"')
                        quoted = !quoted;
                else if (!quoted && !address_is_atext(local.data[i]) && local.data[i] != '.')
                        return false;
        }
        return local.len > 0;
}

int address_normalise(Str raw, Buf *ret) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(raw.len);
        Str local, domain;
        bool qualified = address_split(raw, &local, &domain);

        if (address_unquote_local(local, &name) < 0)
                return -ENOMEM;
        if (!is_local(local) || (qualified && !is_domain(domain)))
                return ADDRESS_E_SYNTAX;
        (void)address_quote_local(buf_str(&name), ret);
        if (qualified) {
                (void)buf_append_char(ret, '@');
                (void)buf_append_str(ret, domain);
        }
        return ret->error < 0                                     ? ret->error
               : ret->error == 0 && address_is_sane(buf_str(ret)) ? 0
                                                                  : ADDRESS_E_SYNTAX;
}

/* What was collected, in the form of the envelope. */
static int normalise_collected(Buf *ret) {
        _cleanup_(buf_deinit) Buf raw = BUF_INIT(ret->max);

        if (buf_append_str(&raw, buf_str(ret)) != 0)
                return -ENOMEM;
        buf_reset(ret);
        return address_normalise(buf_str(&raw), ret);
}

/* The end of an address: "<>" is the only empty one. */
static int finish_address(Buf *ret, bool bad) {
        if (ret->error < 0)
                return ret->error;
        if (bad || ret->error)
                return ADDRESS_E_SYNTAX;
        return ret->len == 0 ? 0 : normalise_collected(ret);
}

/*
 * What stands between angle brackets; the first is taken already. "@a,@b:" in front of the address
 * is a route (RFC 5322 4.4), which nobody follows any more.
 */
static int parse_angle(Str *rest, Buf *ret) {
        bool bad = false, in_route = false, word_before = false;
        Str text = STR_NULL;
        int token;

        while ((token = address_token_next(rest, &text)) != '>') {
                if (token == ADDRESS_TOKEN_END || (token == ',' && !in_route))
                        return ADDRESS_E_SYNTAX;
                if (token == '@' && ret->len == 0)
                        in_route = true;
                else if (in_route)
                        in_route = token != ':';
                else if (token == '.' || token == '@')
                        (void)buf_append_char(ret, (char)token);
                else if (token == ADDRESS_TOKEN_WORD && !word_before)
                        append_word(ret, text);
                else
                        bad = true;
                word_before = token == ADDRESS_TOKEN_WORD;
        }
        return finish_address(ret, bad || in_route);
}

/*
 * One element of the list while it is read. Two words with nothing between them are a display name
 * when "<" follows, else two addresses without their comma; which one shows only at the end of the
 * element, so the end of the first is kept.
 */
typedef struct Element {
        Str behind_first; /* data NULL: one address so far */
        unsigned n_adjacent;
        bool word_before;
        bool bad;
} Element;

static void element_add(Element *element, Str before, int token, Str text, Buf *ret) {
        bool is_word = token == ADDRESS_TOKEN_WORD;

        if (is_word && element->word_before) {
                element->n_adjacent++;
                if (!element->behind_first.data)
                        element->behind_first = before;
        }
        element->word_before = is_word;
        if (element->behind_first.data)
                return;
        if (is_word)
                append_word(ret, text);
        else if (token == '.' || token == '@')
                (void)buf_append_char(ret, (char)token);
        else
                element->bad = true;
}

static int element_finish(Element *element, Str *rest, Buf *ret) {
        if (element->behind_first.data && element->n_adjacent <= ADJACENT_WORDS_MAX) {
                *rest = element->behind_first;
                return finish_address(ret, element->bad);
        }
        return finish_address(ret, element->bad || element->behind_first.data);
}

int address_list_next(Str *rest, Buf *ret) {
        Element element = { 0 };
        Str before, text = STR_NULL;
        int token;

        buf_reset(ret);
        for (;;) {
                before = *rest;
                token = address_token_next(rest, &text);
                if (token == '<') {
                        buf_reset(ret);
                        return parse_angle(rest, ret);
                }
                if (token == ':') { /* what came before was the name of a group */
                        buf_reset(ret);
                        element = (Element){ 0 };
                } else if (token != ADDRESS_TOKEN_END && token != ',' && token != ';') {
                        element_add(&element, before, token, text, ret);
                } else if (ret->len > 0 || ret->error || element.bad) {
                        return element_finish(&element, rest, ret);
                } else if (token == ADDRESS_TOKEN_END) {
                        return ADDRESS_E_END;
                }
        }
}
