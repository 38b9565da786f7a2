/* Files opened, read and closed with the checks of etl/inbox.py: the compiled twin of its `Opened`.
 *
 * A call of the system costs less than Python's names around it: what fstat tells is compared here, not handed over.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* Raised with every change of what a function takes or gives: an old build is not used (etl/files_twin.py). */
#define FILES_VERSION 1

/* A call of the system that a signal interrupted: 0 to call again, -1 with the error of a signal's handler. */
static int again(int errored)
{
    return errored == EINTR ? PyErr_CheckSignals() : 1;
}

/* open(path) -> handle of a regular file with one name, or the reason why not. */
static PyObject *files_open(PyObject *self, PyObject *path)
{
    PyObject *octets;
    struct stat info;
    int handle, errored, more = 0;
    if (!PyUnicode_FSConverter(path, &octets))
        return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        handle = open(PyBytes_AS_STRING(octets), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        errored = errno;
        Py_END_ALLOW_THREADS
    } while (handle < 0 && (more = again(errored)) == 0);
    Py_DECREF(octets);
    if (handle < 0)
        return more < 0 ? NULL : PyUnicode_FromString(errored == ENOENT ? "vanished" : "not_regular");
    if (fstat(handle, &info) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        close(handle);
        return NULL;
    }
    if (S_ISREG(info.st_mode) && info.st_nlink == 1)
        return PyLong_FromLong(handle);
    close(handle);
    return PyUnicode_FromString(S_ISREG(info.st_mode) ? "linked" : "not_regular");
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
    PyObject *data = PyBytes_FromStringAndSize(NULL, n);
    Py_ssize_t done = data ? read_into((int)handle, PyBytes_AS_STRING(data), n, at) : -2;
    if (done == -1)
        PyErr_SetFromErrno(PyExc_OSError);
    if (done < 0)
        Py_CLEAR(data);
    else if (done < n)
        _PyBytes_Resize(&data, done);
    return data;
}

/* close(handle, size, modified_ns) -> whether the file still had this size and time. Raises OSError; it is closed then, too. */
static PyObject *files_close(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    struct stat info;
    if (n_args != 3)
        return PyErr_Format(PyExc_TypeError, "close(handle, size, modified_ns)");
    long handle = PyLong_AsLong(args[0]);
    if (PyErr_Occurred() || handle < 0 || handle > INT32_MAX)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no such file");
    int is_told = fstat((int)handle, &info) == 0;
    if (!is_told)
        PyErr_SetFromErrno(PyExc_OSError);
    close((int)handle);
    long long size = is_told ? PyLong_AsLongLong(args[1]) : 0, ns = is_told ? PyLong_AsLongLong(args[2]) : 0;
    if (PyErr_Occurred())
        return NULL;
    int is_same = info.st_size == size && info.st_mtim.tv_sec * 1000000000LL + info.st_mtim.tv_nsec == ns;
    return PyBool_FromLong(is_same);
}

/* limit(seconds): an alarm (SIGALRM) after so many; none after 0. */
static PyObject *files_limit(PyObject *self, PyObject *given)
{
    double seconds = PyFloat_AsDouble(given);
    if (PyErr_Occurred())
        return NULL;
    if (!(seconds >= 0 && seconds < 1e9))
        return PyErr_Format(PyExc_ValueError, "no such time");
    struct itimerval timer = {.it_value = {(time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)}};
    if (seconds > 0 && !timer.it_value.tv_sec && !timer.it_value.tv_usec)
        timer.it_value.tv_usec = 1;
    return setitimer(ITIMER_REAL, &timer, NULL) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static PyMethodDef METHODS[] = {
    {"open", files_open, METH_O, NULL},
    {"read", (PyCFunction)(void (*)(void))files_read, METH_FASTCALL, NULL},
    {"close", (PyCFunction)(void (*)(void))files_close, METH_FASTCALL, NULL},
    {"limit", files_limit, METH_O, NULL},
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
