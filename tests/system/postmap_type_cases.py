"""What `postmap -q KEY TYPE:NAME` answers, for the table types that answer by themselves.

A row is (type, name, key): NAME is the text in the configuration, or SOURCE(...), a file of these
lines. Debian's Postfix gives the expected answer. DIFFERENCES holds the rows where unitpost is
meant to answer otherwise, with the reason.
"""


class Source(str):
    """The name of a table is that of a file with this content."""


def source(*lines):
    return Source(''.join(line + '\n' for line in lines))


def _rows(kind, *rows):
    return [(kind, name, key) for name, *keys in rows for key in keys]


NETWORKS = source('# a comment', '', '192.168.1.1 one', '192.168.0.0/16 many', '[2001:db8::1] six',
                  '2001:db8::/32', '  continued', '[10.9.0.0]/16 brackets', '[10.8.0.0/16] inside')
NESTED = source('if 10.0.0.0/8', '10.1.0.0/16 a', 'IF !10.2.0.0/16', '0.0.0.0/0 b', 'endif',
                'ENDIF', '10.2.0.1 c', '!10.0.0.0/8 elsewhere', '::/0 six')

CIDR = _rows(
    'cidr',
    (NETWORKS, '192.168.1.1', '192.168.7.7', '192.169.0.1', '2001:db8::1', '2001:DB8:0::2',
     '10.9.1.1', '10.8.1.1', '::ffff:192.168.1.1', 'name', '192.168.1.01', '192.168.1',
     '[192.168.1.1]'),
    (NESTED, '10.1.1.1', '10.2.0.1', '10.2.0.2', '10.3.3.3', '11.0.0.1', '::1'),
    ('{ {10.0.0.0/8 x y}, {!10.0.0.0/8 no} }', '10.1.1.1', '1.1.1.1', '::1'),
    ('{{!!10.0.0.0/08 x}}', '10.1.1.1'),
    ('{{::ffff:10.0.0.0/104 mapped}}', '::ffff:10.1.1.1', '10.1.1.1'),
    ('{{0.0.0.0/0 all}}', '255.255.255.255'),
    ('{{10.0.0.1/8 x}}', '10.1.1.1'),
)

EITHER = (
    (source('/aBC/ fold', '/bcd/i exact', '/^x(.)(.)?$/ $1-${2}-$(1)$$x', '!/./ never'),
     'abc', 'ABC', 'bcd', 'BCD', 'xyz', 'XY', 'other'),
    (source('if /a/', '/b/ ab', 'if !/c/', '/d/ adnotc', 'endif', 'endif', '/d/ d'),
     'ab', 'ad', 'acd', 'b', 'D'),
    (source('/long/', '  one', '# between', '  two', '~a/b~ tilde', '/c\\/d/ escaped', '// all'),
     'a long key', 'a/b', 'c/d', 'rest'),
    ('{ {/^(.*)@(.*)$/ $(2)!$1}, {!/x/ no $$} }', 'joe@example.org', 'x', 'y'),
    ('{{/(a)|(b)/ [$1][$2]}}', 'a', 'B'),
    ('{{!/a/ x}}', 'a', 'b'),
    ('{{! /a/ x}}', 'b'),
    ('{{if /a/ text}, {/b/ y}, {endif text}}', 'ab'),
    ('{{/[[:digit:]]{2,3}/ digits}}', 'a12', 'a1'),
    ('{{/a{1}(b|c)+$/ {braces}}}', 'xabc', 'xad'),
    ('{{/^.$/ one byte}}', 'a', '\u00e9'),
    ('{{/^\u00e9$/ x}}', '\u00e9', '\u00c9'),
    ('{{/(a)/ a$$$1.$1,$1}}', 'A'),
    ('{{/a b/ x}}', 'a b', 'ab'),
    ('{}', 'a'),
)

PCRE = _rows('pcre', *EITHER, *(
    ('{{/a.*?c/ $$}, {/\\d/ digit}, {/\\w\\s\\w/ words}}', 'abc', 'b1', 'b d'),
    ('{{/a b/x extended}, {/b/A anchored}, {/(c.*)d/U $1}, {/^e$/E end}}',
     'ab', 'bb', 'xcddd', 'e'),
    ('{{/a(?=b)/ ahead}, {/(?i)C/i inner}, {/(a)\\1/ twice}}', 'ab', 'c', 'aa'),
    ('{{/a/X obsolete}}', 'a'),
))

REGEXP = _rows('regexp', *EITHER, *(
    ('{{/a.*?c/ $$}, {/\\w\\s\\w/ words}, {/\\<q\\>/ word}}', 'abc', 'b d', 'a q b', 'aqb'),
    ('{{/^\\(a\\)\\{2\\}b\\+$/x $1}, {/^a(b|c)$/x plain}}', 'aabb', 'a(b|c)', 'ab'),
    ('{{/[\\]x/ backslash}, {/[]]/ bracket}, {/a**b/ stars}, {/c{,2}d/ most}}',
     '\\x', ']', 'aab', 'cd', 'd'),
    ('{{/(a)\\1/ twice}, {/b)/ alone}}', 'aa', 'b)', 'ad'),
    ('{{/(a|ab)(c|bcd)?/ $1}}', 'ab'),
))

INLINE = _rows(
    'inline',
    ('{ Key=value, {k2 = v 2, with = more} k3=v3,k4={v 4} }', 'key', 'KEY', 'k2', 'k3', 'k4', 'k',
     'k22'),
    ('{a=b a=c}', 'a'),
    ('{a==b}', 'a'),
    ('{{a=b}}', 'a', 'b'),
    ('{ {a =  b  } }', 'a'),
    ('{{a={b}}}', 'a'),
    ('{}', 'a'),
    ('a=b', 'a'),
    ('{ab}', 'a'),
    ('{a=b}x', 'a'),
    ('{{a=b}x}', 'a'),
)

STATIC = _rows(
    'static',
    ('OK', 'a', 'A b', '@'),
    ('{OK}', 'a'),
    ('{ two words, here }', 'a'),
    ('two words', 'a'),
    ('{{a}}', 'x'),
    ('{a=b}', 'x'),
    ('a:b', 'x'),
    ('550 5.7.1 no', 'x'),
    ('{a}b', 'x'),
    ('{a', 'x'),
    ('a}', 'x'),
    ('[x]', 'x'),
    ('$x', 'x'),
    ('/x', 'x'),
    ('', 'x'),
)

FAIL = _rows('fail', *((name, key) for name in ('x', '{x}', '/x') for key in 'a A @ x@y 1'.split()))
INTERNAL = _rows('internal', *((name, key) for name in ('x', '{x}', '/x')
                               for key in 'a A @ x@y 1'.split()))
# TZ and LANG are set to UTC and C; a variable of lower case does not get through.
ENVIRON = _rows('environ', *((name, key) for name in ('x', '{x}', '/x')
                             for key in 'TZ tz LANG lang NONE'.split()))

UNIONMAP = _rows(
    'unionmap',
    ('{inline:{a=1},inline:{a=1,b=2} inline:{c=3}}', 'a', 'b', 'c', 'd', 'A'),
    ('{static:x}', 'a'),
    ('{ static:x , unionmap:{inline:{a=y},static:z}}', 'a', 'b'),
    ('{pcre:{{/^(.*)$/ <$1>}},inline:{a=b}}', 'a', 'B', 'A'),
    ('{inline:{a={1,2}},static:c}', 'a'),
    ('{fail:x,static:a}', 'a'),
    ('{static:a,fail:x}', 'a'),
    ('{}', 'a'),
    ('static:a', 'a'),
    ('{nosuch:a}', 'a'),
    ('{foo}', 'a'),
)

PIPEMAP = _rows(
    'pipemap',
    ('{inline:{a=b,c=d},inline:{b=x}}', 'a', 'c', 'e', 'A'),
    ('{inline:{a=B},inline:{b=d}}', 'a'),
    ('{inline:{a=B},pcre:{{/(B)/ $(1)x}}}', 'a'),
    ('{pcre:{{/(.*)@(.*)/ $(2)}},inline:{example.org=yes}}', 'a@example.org', 'a@EXAMPLE.org',
     'example.org'),
    ('{static:a}', 'x'),
    ('{ unionmap:{static:a,static:b} inline:{{a,b=both}} }', 'x'),
    ('{inline:{b=c},fail:x}', 'a', 'b'),
    ('{fail:x}', 'a'),
    ('{}', 'a'),
    ('inline:{a=b}', 'a'),
)

RANDMAP = _rows(
    'randmap',
    ('{x}', 'a', 'A', '@'),
    ('{x x,x}', 'a', 'b'),
    ('{ x , }', 'a'),
    ('{ {x y} }', 'a'),
    ('{{x=y}}', 'a'),
    ('{{x},{x}}', 'a'),
    ('{static:x}', 'a'),
    ('{a/b}', 'a'),
    ('{}', 'a'),
    ('x', 'a'),
    ('{x', 'a'),
    ('{x}y', 'a'),
)

CASES = (CIDR + PCRE + REGEXP + INLINE + STATIC + FAIL + INTERNAL + ENVIRON + UNIONMAP + PIPEMAP +
         RANDMAP)

DIFFERENCES = {
    ('cidr', '{{10.0.0.1/8 x}}', '10.1.1.1'):
        'a malformed rule is an error; Postfix leaves it out, and answers as if it were not there',
    ('regexp', '{{/(a|ab)(c|bcd)?/ $1}}', 'ab'):
        'PCRE2 takes the first alternative that matches, POSIX the longest match',
}
