/* Files opened, read and closed with the checks of etl/inbox.py: the compiled twin of its `Opened`.
 *
 * A call of the system costs less than Python's names around it: what fstat tells is compared here, not handed over.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/files_twin.py). */
#define FILES_VERSION 2

/* A call of the system that a signal interrupted: 0 to call again, -1 with the error of a signal's handler. */
static int again(int errored)
{
    return errored == EINTR ? PyErr_CheckSignals() : 1;
}

/* Read up to `n` octets from `at` on into `into`; how many, or -1 with errno, or -2 with a Python error. */
static Py_ssize_t read_into(int handle, char *into, Py_ssize_t n, long long at)
{
    Py_ssize_t done = 0;
    while (done < n) {
        ssize_t got;
        int errored;
        Py_BEGIN_ALLOW_THREADS
        got = pread(handle, into + done, (size_t)(n - done), (off_t)(at + done));
        errored = errno;
        Py_END_ALLOW_THREADS
        if (got > 0)
            done += got;
        else if (got == 0)
            break;
        else {
            int more = again(errored);
            errno = errored;
            if (more)
                return more < 0 ? -2 : -1;
        }
    }
    return done;
}

/* `n` octets from `at` on, fewer where the file ends. NULL with a Python error. */
static PyObject *octets_of(int handle, Py_ssize_t n, long long at)
{
    PyObject *data = PyBytes_FromStringAndSize(NULL, n);
    Py_ssize_t done = data ? read_into(handle, PyBytes_AS_STRING(data), n, at) : -2;
    if (done == -1)
        PyErr_SetFromErrno(PyExc_OSError);
    if (done < 0)
        Py_CLEAR(data);
    else if (done < n)
        _PyBytes_Resize(&data, done);
    return data;
}

/* The handle of a regular file with one name, which is opened; else -1 with the reason why not, or with a Python error. */
static int handle_of(PyObject *path, const char **reason)
{
    PyObject *octets;
    struct stat info;
    int handle, errored, more = 0;
    if (!PyUnicode_FSConverter(path, &octets))
        return -1;
    do {
        Py_BEGIN_ALLOW_THREADS
        handle = open(PyBytes_AS_STRING(octets), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        errored = errno;
        Py_END_ALLOW_THREADS
    } while (handle < 0 && (more = again(errored)) == 0);
    Py_DECREF(octets);
    if (handle < 0) {
        *reason = errored == ENOENT ? "vanished" : "not_regular";
        return -1;
    }
    if (fstat(handle, &info) < 0)
        PyErr_SetFromErrno(PyExc_OSError);
    else if (S_ISREG(info.st_mode) && info.st_nlink == 1)
        return handle;
    else
        *reason = S_ISREG(info.st_mode) ? "linked" : "not_regular";
    close(handle);
    return -1;
}

/* Whether an open file has this size and time; -1 with a Python error. */
static int is_same(int handle, PyObject *size, PyObject *modified_ns)
{
    struct stat info;
    long long n = PyLong_AsLongLong(size), ns = PyErr_Occurred() ? 0 : PyLong_AsLongLong(modified_ns);
    if (PyErr_Occurred())
        return -1;
    if (fstat(handle, &info) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return info.st_size == n && info.st_mtim.tv_sec * 1000000000LL + info.st_mtim.tv_nsec == ns;
}

/* open(path) -> handle of a regular file with one name, or the reason why not. */
static PyObject *files_open(PyObject *self, PyObject *path)
{
    const char *reason = NULL;
    int handle = handle_of(path, &reason);
    if (handle >= 0)
        return PyLong_FromLong(handle);
    return PyErr_Occurred() ? NULL : PyUnicode_FromString(reason);
}

/* read(handle, n, at) -> octets, fewer where the file ends. Raises OSError. */
static PyObject *files_read(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    if (n_args != 3)
        return PyErr_Format(PyExc_TypeError, "read(handle, octets, position)");
    long handle = PyLong_AsLong(args[0]);
    Py_ssize_t n = PyLong_AsSsize_t(args[1]);
    long long at = PyLong_AsLongLong(args[2]);
    if (PyErr_Occurred())
        return NULL;
    if (handle < 0 || handle > INT32_MAX || n < 0 || at < 0 || at > INT64_MAX - n)
        return PyErr_Format(PyExc_ValueError, "no such octets");
    return octets_of((int)handle, n, at);
}

/* How often the work of `begin`, which has no time limit, may read on. */
enum { MOST_FETCHED = 64 };
static int n_fetched;

/* fetch(at, n) -> octets of the file whose handle `self` is; none where too many were read. Raises OSError. */
static PyObject *files_fetch(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    if (n_args != 2)
        return PyErr_Format(PyExc_TypeError, "fetch(position, octets)");
    PyObject *asked[] = {self, args[1], args[0]};
    return n_fetched++ < MOST_FETCHED ? files_read(NULL, asked, 3) : PyBytes_FromStringAndSize(NULL, 0);
}

static PyMethodDef FETCH = {"fetch", (PyCFunction)(void (*)(void))files_fetch, METH_FASTCALL, NULL};

/* begin(path, n, size, modified_ns, work, given) -> (answer, octets) of what `work` tells of the first `n` octets of a file of
 * this size and time, which is closed then; (handle, octets) where it tells nothing, which is None, or the file is another;
 * or the reason why it cannot be opened. `work` is asked (octets, size, given, fetch). */
static PyObject *files_begin(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    const char *reason = NULL;
    if (n_args != 6)
        return PyErr_Format(PyExc_TypeError, "begin(path, octets, size, modified_ns, work, given)");
    Py_ssize_t n = PyLong_AsSsize_t(args[1]);
    if (n < 0)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no such octets");
    int handle = handle_of(args[0], &reason), is_told = 0;
    if (handle < 0)
        return PyErr_Occurred() ? NULL : PyUnicode_FromString(reason);
    PyObject *number = PyLong_FromLong(handle), *fetch = number ? PyCFunction_New(&FETCH, number) : NULL;
    PyObject *octets = fetch ? octets_of(handle, n, 0) : NULL, *told = NULL;
    n_fetched = 0;
    if (octets && PyBytes_GET_SIZE(octets) == n) {
        PyObject *asked[] = {octets, args[2], args[5], fetch};
        told = PyObject_Vectorcall(args[4], asked, 4, NULL);
        is_told = told && told != Py_None ? is_same(handle, args[2], args[3]) : 0;
    } else if (octets)
        told = Py_NewRef(Py_None);
    PyObject *made = told && is_told >= 0 ? PyTuple_Pack(2, is_told ? told : number, octets) : NULL;
    if (is_told || !made)
        close(handle);
    Py_XDECREF(told);
    Py_XDECREF(octets);
    Py_XDECREF(fetch);
    Py_XDECREF(number);
    return made;
}

/* close(handle, size, modified_ns) -> whether the file still had this size and time. Raises OSError; it is closed then, too. */
static PyObject *files_close(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    if (n_args != 3)
        return PyErr_Format(PyExc_TypeError, "close(handle, size, modified_ns)");
    long handle = PyLong_AsLong(args[0]);
    if (PyErr_Occurred() || handle < 0 || handle > INT32_MAX)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no such file");
    int same = is_same((int)handle, args[1], args[2]);
    close((int)handle);
    return same < 0 ? NULL : PyBool_FromLong(same);
}

static PyMethodDef METHODS[] = {
    {"open", files_open, METH_O, NULL},
    {"begin", (PyCFunction)(void (*)(void))files_begin, METH_FASTCALL, NULL},
    {"read", (PyCFunction)(void (*)(void))files_read, METH_FASTCALL, NULL},
    {"close", (PyCFunction)(void (*)(void))files_close, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_start(PyObject *module)
{
    return PyModule_AddIntConstant(module, "VERSION", FILES_VERSION);
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, module_start}, {0, NULL}};
static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "etl._files", .m_methods = METHODS, .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__files(void)
{
    return PyModuleDef_Init(&MODULE);
}
