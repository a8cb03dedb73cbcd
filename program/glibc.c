/* Functions of glibc that it has once for each kind of vector instruction, in a small form: 0.08 MB less;
 * and messages on standard error without wide characters.
 *
 * glibc calls them itself, while it starts the program and looks up hosts. SQLite calls strcmp and strncmp
 * while it prepares statements. A token check calls none of them.
 *
 * The linker takes a function from here before it looks for one in libc.a; it leaves out a function that
 * this glibc does not call by that name. They do what glibc's do in the locale "C", which the program
 * never leaves.
 */
#include <stdarg.h>
#include <stddef.h>

/* Names of hosts and of character sets, compared without case: 47 kB. */
static int lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int __strncasecmp(const char *a, const char *b, size_t length)
{
    for (; length > 0; a++, b++, length--) {
        int difference = lower(*a) - lower(*b);
        if (difference != 0 || *a == '\0')
            return difference;
    }
    return 0;
}

int __strcasecmp(const char *a, const char *b)
{
    return __strncasecmp(a, b, (size_t)-1);
}

/* The last argument is the locale. */
int __strncasecmp_l(const char *a, const char *b, size_t length, void *locale)
{
    (void)locale;
    return __strncasecmp(a, b, length);
}

int __strcasecmp_l(const char *a, const char *b, void *locale)
{
    (void)locale;
    return __strncasecmp(a, b, (size_t)-1);
}

int strcasecmp(const char *, const char *) __attribute__((alias("__strcasecmp")));
int strncasecmp(const char *, const char *, size_t) __attribute__((alias("__strncasecmp")));
int strcasecmp_l(const char *, const char *, void *) __attribute__((alias("__strcasecmp_l")));
int strncasecmp_l(const char *, const char *, size_t, void *) __attribute__((alias("__strncasecmp_l")));

/* 37 kB. */
int strncmp(const char *a, const char *b, size_t length)
{
    for (; length > 0; a++, b++, length--) {
        int difference = (unsigned char)*a - (unsigned char)*b;
        if (difference != 0 || *a == '\0')
            return difference;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

char *strncpy(char *to, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        to[i] = *from;
        if (*from != '\0')
            from++;
    }
    return to;
}

/* What failed, on standard error, also if that has wide characters; the program writes none. 36 kB. */
extern void *stderr;
int vfprintf(void *, const char *, va_list);

int __vfxprintf(void *file, const char *format, va_list values, unsigned int mode)
{
    (void)mode;
    return vfprintf(file == NULL ? stderr : file, format, values);
}

int __fxprintf(void *file, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int written = __vfxprintf(file, format, values, 0);
    va_end(values);
    return written;
}

int __fxprintf_nocancel(void *, const char *, ...) __attribute__((alias("__fxprintf")));
