"""The one module that owns C state: the choice of tier, the thread pool, and the workspace of the running step."""
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject

from fastnn.kernels cimport _numpy as cnp
from fastnn.kernels._numpy cimport ndarray, npy_intp

import os
import sys

import numpy as np

from fastnn import checks

cnp.import_array()

__all__ = ["Workspace", "available_isas", "build_info", "get_num_threads", "isa", "set_num_threads"]

cdef extern from *:
    """
    #ifndef FNN_COMPILER
    #define FNN_COMPILER __VERSION__
    #endif
    /* The workspace of the step that this thread runs, or NULL.  The thread owns a reference: whoever made the workspace
     * may let go of it inside the block. */
    static _Thread_local PyObject *fnn_active_workspace = NULL;
    """
    PyObject *fnn_active_workspace
    const char *FNN_COMPILER

cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX
    Py_ssize_t Py_REFCNT(PyObject *object)
    PyObject *PyList_GET_ITEM(list items, Py_ssize_t i)  # borrowed: a reference of our own would count as somebody's

cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyArrayObject_fields:
        PyObject *weakreflist

cdef extern from "fnn.h":
    enum: FNN_NO_MEMORY, FNN_BAD_INDEX, FNN_F32, FNN_F64
    enum: FNN_LEAKY_RELU, FNN_ELU, FNN_SELU, FNN_SIGMOID, FNN_TANH, FNN_SOFTPLUS, FNN_EXPONENTIAL
    enum: FNN_HARD_SIGMOID, FNN_GELU, FNN_GELU_TANH, FNN_SILU, FNN_STEP
    int fnn_tier_count()
    const char *fnn_tier_name(int tier)
    int fnn_tier_supported(int tier)
    const fnn_kernels *fnn_tier_kernels(int tier, int precision)

cdef extern from "pool.h":
    enum: FNN_MAX_THREADS
    int fnn_get_threads()
    int fnn_set_threads(int count)


# ---- the tier, chosen once ----

cdef const fnn_kernels *kernels_f32
cdef const fnn_kernels *kernels_f64
cdef str _isa


def available_isas() -> list[str]:
    """Return the instruction-set tiers that both this build and this machine have, best last."""
    return [fnn_tier_name(i).decode() for i in range(fnn_tier_count()) if fnn_tier_supported(i)]


def isa() -> str:
    """Return the instruction-set tier in use: ``"baseline"``, ``"avx2"`` or ``"avx512"``.

    It is chosen at import; ``FASTNN_ISA`` forces it.
    """
    return _isa


def build_info() -> dict:
    """Return the tiers and the compiler of this build."""
    return {"tiers": [fnn_tier_name(i).decode() for i in range(fnn_tier_count())], "compiler": FNN_COMPILER.decode()}


def no_tier(built: list) -> str:
    """The message where the processor runs none of the tiers of this build."""
    return (f"The compiled kernels of fastnn are built for {', '.join(built)}, and this processor does not have these "
            "instructions. Build from source with FASTNN_BUILD_TIERS=all, or without FASTNN_BUILD_TIERS on this machine; "
            "to run without compiled kernels, on the NumPy twins, set FASTNN_BACKEND=reference.")


def _choose_tier():
    global kernels_f32, kernels_f64, _isa
    available = available_isas()
    if not available:
        raise ImportError(no_tier(build_info()["tiers"]))
    _isa = os.environ.get("FASTNN_ISA") or available[-1]
    if _isa not in available:
        raise ImportError(
            f"FASTNN_ISA must name a tier that this machine and this build have: {', '.join(available)}. "
            f"Received: {_isa!r}. Unset FASTNN_ISA to use the best one.")
    for tier in range(fnn_tier_count()):
        if fnn_tier_name(tier).decode() == _isa:
            kernels_f32 = fnn_tier_kernels(tier, FNN_F32)
            kernels_f64 = fnn_tier_kernels(tier, FNN_F64)


_choose_tier()


cdef const fnn_kernels *table(int dtype) noexcept nogil:
    return kernels_f32 if dtype == cnp.NPY_FLOAT32 else kernels_f64


# ---- threads ----

def get_num_threads() -> int:
    """Return the number of threads that kernels use.

    It is ``FASTNN_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the number of CPUs of this process.
    """
    return fnn_get_threads()


def set_num_threads(count) -> None:
    """Set the number of threads that kernels use.  No result depends on it.

    Raises
    ------
    ValueError
        If ``count`` is not between 1 and 256.
    """
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or not (
            1 <= count <= FNN_MAX_THREADS) or fnn_set_threads(count) != 0:
        raise ValueError(f"The number of threads must be an integer from 1 to {FNN_MAX_THREADS}. Received: {count!r}.")


# ---- arrays in ----

cdef inline bint is_ready(ndarray a) noexcept:
    return cnp.PyArray_ISCARRAY_RO(a)


cdef inline bint is_real(int dtype) noexcept:
    return dtype == cnp.NPY_FLOAT32 or dtype == cnp.NPY_FLOAT64


cdef tuple shape_tuple(int ndim, const npy_intp *shape):
    return tuple([shape[i] for i in range(ndim)])


cdef str dtype_name(int dtype):
    return "float32" if dtype == cnp.NPY_FLOAT32 else "float64"


cdef ndarray converted_real(object x, str name, int ndim, int dtype):
    """Convert on the slow path: lists become float64, strided arrays are copied, anything unsuitable is refused."""
    if not isinstance(x, np.ndarray):
        try:
            read = np.asarray(x)
        except (TypeError, ValueError):
            read = None
        if not hasattr(x, "__array__") and read is not None:  # of None, NumPy would make NaN, of "1" a number
            read = read.astype(np.float64) if read.dtype.kind in "biuf" else None
        if read is None:
            raise TypeError(f"{name} must be an array of float32 or float64. Received: {type(x).__name__}, which cannot "
                            f"be converted to an array of numbers.")
        x = read
        if dtype != ANY and x.dtype == np.float64 and x.ndim <= 1:
            x = x.astype(dtype_name(dtype))  # a list beside an array takes the array's dtype
    if x.dtype != np.float32 and x.dtype != np.float64:
        raise TypeError(f"{name} must be an array of float32 or float64. Received: dtype {x.dtype}. "
                        f"Use {name}.astype(np.float32).")
    if not x.dtype.isnative:
        raise TypeError(f"{name} must be in native byte order. Received: dtype {x.dtype.str!r}. "
                        f"Use {name}.astype(np.{x.dtype.name}).")
    if dtype != ANY and cnp.PyArray_TYPE(x) != dtype:
        raise TypeError(f"All arrays of one call must share one dtype, {dtype_name(dtype)} for {name}. "
                        f"Received: {x.dtype}. Use {name}.astype(np.{dtype_name(dtype)}).")
    if ndim != ANY and x.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} {'axes' if ndim != 1 else 'axis'}. Received: shape {x.shape}.")
    return np.require(x, requirements=["C", "A"])


cdef ndarray as_real(object x, str name, int ndim, int dtype=ANY):
    cdef ndarray a
    if type(x) is ndarray:
        a = <ndarray> x
        if is_ready(a) and (ndim == ANY or cnp.PyArray_NDIM(a) == ndim) and (
                cnp.PyArray_TYPE(a) == dtype or (dtype == ANY and is_real(cnp.PyArray_TYPE(a)))):
            return a
    return converted_real(x, name, ndim, dtype)


cdef ndarray as_real_shaped(object x, str name, int ndim, const npy_intp *shape, int dtype):
    cdef ndarray a = as_real(x, name, ndim, dtype)
    cdef int i
    for i in range(ndim):
        if cnp.PyArray_DIM(a, i) != shape[i]:
            raise ValueError(f"{name} must have shape {shape_tuple(ndim, shape)}. "
                             f"Received: shape {(<object> a).shape}.")
    return a


cdef ndarray rows_with_channels(object x, str name):
    cdef ndarray a = as_real(x, name, ANY)
    cdef int ndim = cnp.PyArray_NDIM(a)
    if ndim == 0:
        raise ValueError(f"{name} must have at least one axis. Received: a single number.")
    if cnp.PyArray_DIM(a, ndim - 1) < 1:
        raise ValueError(f"{name} must have at least one entry along axis {ndim - 1}. "
                         f"Received: shape {(<object> a).shape}.")
    return a


cdef ndarray as_index(object x, str name, int ndim):
    if type(x) is ndarray and cnp.PyArray_TYPE(<ndarray> x) == cnp.NPY_INT64 and is_ready(<ndarray> x) and (
            ndim == ANY or cnp.PyArray_NDIM(<ndarray> x) == ndim):
        return <ndarray> x
    if not isinstance(x, np.ndarray):
        x = np.asarray(x)
    if x.dtype.kind not in "iu" or x.dtype == np.uint64:
        if x.size or x.dtype.kind != "f":  # an empty list has no dtype of its own
            raise TypeError(f"{name} must be an array of integers. Received: dtype {x.dtype}. "
                            f"Use {name}.astype(np.int64).")
    if ndim != ANY and x.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} {'axes' if ndim != 1 else 'axis'}. Received: shape {x.shape}.")
    return np.asarray(x, dtype=np.int64, order="C")  # a single id stays a single id


# ---- arrays out ----

cdef enum:
    LINE = 64  # bytes of a cache line, on which every array starts
    SMALL = 4096
    MOST_WASTE = 4
    MOST_LOOKED_AT = 256


@cython.final
@cython.no_gc
cdef class Memory:
    """Some bytes of a workspace, and which array over them was handed out last.

    It is the base of all arrays over it. It is not an array itself, so NumPy gives views of these arrays the array as
    their base, and never the memory: whoever can reach the bytes holds the array.
    """
    cdef object owner
    cdef char *start
    cdef Py_ssize_t size
    cdef PyObject *holder  # borrowed from the workspace's list; NULL when all arrays over this memory are free
    cdef bint given_away, laid_out

    def __cinit__(self, Py_ssize_t size):
        self.owner = np.empty(size + LINE, dtype=np.uint8)
        cdef char *at = <char *> cnp.PyArray_DATA(<ndarray> self.owner)
        self.start = at + (-<size_t> at) % LINE
        self.size = size


cdef inline bint is_held(Memory memory) noexcept:
    """Whether anyone but the workspace can still reach the memory: an array is handed out when all others are free."""
    if memory.given_away:
        return True
    return memory.holder != NULL and (
        Py_REFCNT(memory.holder) > 1 or (<PyArrayObject_fields *> memory.holder).weakreflist != NULL)


cdef inline Memory memory_of(PyObject *a):
    """The memory of an array of a workspace."""
    return <Memory> cnp.PyArray_BASE(<ndarray> a)


cdef inline bint fits(ndarray a, int ndim, const npy_intp *shape, int dtype) noexcept:
    """Whether an array is what is asked for, and nobody has changed its shape or its flags."""
    cdef int i
    if cnp.PyArray_TYPE(a) != dtype or cnp.PyArray_NDIM(a) != ndim or not cnp.PyArray_ISCARRAY(a):
        return False
    for i in range(ndim):
        if cnp.PyArray_DIM(a, i) != shape[i]:
            return False
    return True


cdef ndarray array_over(Memory memory, int ndim, const npy_intp *shape, int dtype):
    cdef ndarray a = cnp.PyArray_SimpleNewFromData(ndim, <npy_intp *> shape, dtype, memory.start)
    Py_INCREF(memory)
    cnp.PyArray_SetBaseObject(a, <PyObject *> memory)
    return a


cdef Py_ssize_t bytes_of(int ndim, const npy_intp *shape, int dtype) except -1:
    """The size of an array, in whole cache lines; at least one."""
    cdef object description = cnp.PyArray_DescrFromType(dtype)
    cdef Py_ssize_t size = cnp.PyDataType_ELSIZE(<cnp.PyArray_Descr *> description)
    cdef int i
    for i in range(ndim):
        if shape[i] > 0 and size > PY_SSIZE_T_MAX // 2 // shape[i]:
            raise MemoryError(f"No memory holds an array of shape {shape_tuple(ndim, shape)}.")
        size *= shape[i]
    return max(LINE, (size + LINE - 1) // LINE * LINE)


cdef Workspace active_workspace():
    """The workspace that this thread is inside, or None.  Those that another thread has left in its place are left here."""
    cdef Workspace space = None if fnn_active_workspace == NULL else <Workspace> fnn_active_workspace
    while space is not None and space.abandoned:
        make_active(space.outer)
        space.outer = None
        space.abandoned = space.in_use = False
        space = None if fnn_active_workspace == NULL else <Workspace> fnn_active_workspace
    return space


cdef make_active(Workspace space):
    """Let this thread request its arrays from another workspace, or from none."""
    global fnn_active_workspace
    cdef PyObject *before = fnn_active_workspace
    if space is None:
        fnn_active_workspace = NULL
    else:
        Py_INCREF(space)
        fnn_active_workspace = <PyObject *> space
    if before != NULL:
        Py_DECREF(<object> before)


cdef class Workspace:
    """The arrays of one step, handed out in order of request and again in the next step.

    Inside ``with workspace:`` every kernel that is not given an output array gets one from here. Memory whose arrays
    nobody holds any more serves the requests that follow. A step that asks for the same shapes in the same order as the
    last one gets the same arrays, so a steady state allocates nothing.

    An array is handed out only when nobody holds it, a view of it, or another array over its memory. So an array that
    is kept stays as it is, and its place in the next step gets other memory. What outlives the step is better copied:
    that costs no new memory at each step.

    A workspace that is entered while it is in use, by a step within the step or by another thread, serves the second
    use from memory of its own. A block is left by the thread that entered it. Where another thread leaves it, as when
    it closes a generator that is stopped within the block, the first one continues with new arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> workspace = kernels.Workspace()
    >>> for step in range(2):
    ...     with workspace:
    ...         y = kernels.exp(kernels.exp(kernels.exp(np.zeros(1000))))
    ...     del y
    >>> workspace.nbytes // np.zeros(1000).nbytes  # an input and an output at a time
    2
    """
    cdef list arrays, memories
    cdef Py_ssize_t cursor
    cdef bint in_use, changed
    cdef bint abandoned  # left by another thread: the one that is inside comes out at its next request
    cdef Workspace spare, outer

    def __cinit__(self):
        self.arrays = []
        self.memories = []

    def __enter__(self):
        cdef Workspace space = self
        while space.in_use:
            if space.spare is None:
                space.spare = Workspace()
            space = space.spare
        space.in_use = True
        space.cursor = 0
        space.outer = active_workspace()
        make_active(space)
        return self

    def __exit__(self, *exc_info):
        cdef Workspace active = active_workspace(), space = self
        while space is not None and space is not active:
            space = space.spare
        if space is None:
            self.leave_from_outside(active)
            return
        make_active(space.outer)
        space.outer = None
        space.in_use = False
        if space.changed:
            space.release()

    cdef leave_from_outside(self, Workspace active):
        """End the one use of this workspace by another thread, which holds no array of it that it could lose."""
        cdef Workspace space = self, found = None, mine
        cdef Py_ssize_t uses = 0
        while space is not None:
            mine = active
            while mine is not None and mine is not space:
                mine = mine.outer
            if mine is not None:
                raise RuntimeError("Workspaces are left in the reverse of the order in which they were entered.")
            if space.in_use and not space.abandoned:
                found, uses = space, uses + 1
            space = space.spare
        if uses != 1:
            received = "a workspace that is not in use" if uses == 0 else f"{uses} uses of it by other threads"
            raise RuntimeError(f"A workspace is left by the thread that entered it. Received: {received}. "
                               "Use `with workspace:` in the thread that calls the kernels.")
        found.abandoned = True
        found.forget(0, len(found.arrays))
        found.memories = []

    @property
    def nbytes(self) -> int:
        """Bytes of all memory that is kept from step to step."""
        cdef Memory memory
        cdef Py_ssize_t total = 0 if self.spare is None else self.spare.nbytes
        for memory in self.memories:
            total += memory.size
        return total

    cdef ndarray request(self, int ndim, const npy_intp *shape, int dtype):
        """The array for the next request of the step."""
        cdef Py_ssize_t at = self.cursor
        cdef PyObject *a
        self.cursor += 1
        if at < len(self.arrays):
            a = PyList_GET_ITEM(self.arrays, at)
            if not fits(<ndarray> a, ndim, shape, dtype):
                self.forget(at, len(self.arrays))  # the step goes another way from here on
            elif is_held(memory_of(a)):
                self.forget(at, at + 1)
            else:
                memory_of(a).holder = a
                return <ndarray> a
        return self.lay_out(at, ndim, shape, dtype)

    cdef ndarray lay_out(self, Py_ssize_t at, int ndim, const npy_intp *shape, int dtype):
        """A new array as number `at`, over memory that nobody holds."""
        cdef Py_ssize_t size = bytes_of(ndim, shape, dtype)
        cdef Memory memory = self.find(size)
        if memory is None:
            memory = Memory(size)
            self.memories.append(memory)
        cdef ndarray a = array_over(memory, ndim, shape, dtype)
        self.arrays.insert(at, a)
        memory.holder = <PyObject *> a
        self.changed = True
        return a

    cdef Memory find(self, Py_ssize_t size):
        """The smallest memory of at least `size` bytes that nobody holds, if there is one that is not far too large.

        A small array in large memory would send the next large one to the allocator. Of thousands only the newest are
        looked at: in training most are held, and those made last are free first.
        """
        cdef Memory memory, best = None
        cdef Py_ssize_t largest = max(SMALL, MOST_WASTE * size), i
        cdef Py_ssize_t count = len(self.memories)
        for i in range(count - 1, max(0, count - MOST_LOOKED_AT) - 1, -1):
            memory = <Memory> self.memories[i]
            if size <= memory.size <= largest and (best is None or memory.size < best.size) and not is_held(memory):
                best = memory
        return best

    cdef forget(self, Py_ssize_t first, Py_ssize_t end):
        """Drop the arrays first..end-1. Memory that someone still holds through one of them is theirs from now on."""
        cdef PyObject *a
        cdef Py_ssize_t i
        for i in range(first, end):
            a = PyList_GET_ITEM(self.arrays, i)
            if memory_of(a).holder == a:
                memory_of(a).given_away = is_held(memory_of(a))
                memory_of(a).holder = NULL
        del self.arrays[first:end]
        self.changed = True

    cdef release(self):
        """Let go of the memories over which no array is laid out any more."""
        cdef Memory memory
        cdef Py_ssize_t i
        for memory in self.memories:
            memory.laid_out = False
        for i in range(len(self.arrays)):
            memory_of(PyList_GET_ITEM(self.arrays, i)).laid_out = True
        self.memories = [memory for memory in self.memories if memory.laid_out]
        self.changed = False


cdef ndarray output(object given, str name, int ndim, const npy_intp *shape, int dtype):
    cdef ndarray a
    cdef Workspace space
    cdef int i
    if given is None:
        if fnn_active_workspace != NULL:
            space = <Workspace> fnn_active_workspace
            if not space.abandoned or (space := active_workspace()) is not None:
                return space.request(ndim, shape, dtype)
        return cnp.PyArray_EMPTY(ndim, <npy_intp *> shape, dtype, 0)
    if not isinstance(given, np.ndarray):
        raise TypeError(f"{name}= must be the array to write into. Received: {type(given).__name__}.")
    a = <ndarray> given
    if cnp.PyArray_TYPE(a) != dtype or not a.dtype.isnative:
        raise TypeError(f"{name}= must have dtype {np.dtype(cnp.PyArray_DescrFromType(dtype))}. Received: {a.dtype}.")
    if cnp.PyArray_NDIM(a) != ndim or any([cnp.PyArray_DIM(a, i) != shape[i] for i in range(ndim)]):
        raise ValueError(f"{name}= must have shape {shape_tuple(ndim, shape)}. Received: shape {given.shape}.")
    if not cnp.PyArray_ISCARRAY(a):
        raise ValueError(f"{name}= must be C-contiguous and writeable. Received: an array with strides "
                         f"{given.strides}, writeable={given.flags.writeable}.")
    return a


cdef int apart(ndarray out, ndarray x, str out_name, str x_name) except -1:
    if overlap(out, x):
        raise ValueError(f"{out_name}= must not share memory with {x_name}, which is still read while {out_name} is "
                         f"written. Received: the same memory. Omit {out_name}= to get a new array.")
    return 0


cdef int same_or_apart(ndarray out, ndarray x, str out_name, str x_name) except -1:
    if cnp.PyArray_DATA(out) == cnp.PyArray_DATA(x) and cnp.PyArray_NBYTES(out) == cnp.PyArray_NBYTES(x):
        return 0
    return apart(out, x, out_name, x_name)


cdef int all_apart(tuple outputs, tuple inputs) except -1:
    cdef Py_ssize_t at
    for at, (given, out, out_name) in enumerate(outputs):
        if given is not None:
            for name, x in inputs:
                apart(out, x, out_name, name)
            for other_given, other, other_name in outputs[:at]:
                if other_given is not None and overlap(out, other):
                    raise ValueError(f"{out_name}= must not share memory with {other_name}=, another result. Received: "
                                     f"the same memory. Omit {out_name}= to get a new array.")
    return 0


# ---- lists of arrays ----

@cython.final
cdef class Pointers:
    """Where the numbers of several arrays start, as C reads it, and a size for each."""

    def __cinit__(self, list arrays):
        cdef Py_ssize_t i
        self.count = len(arrays)
        self.first = <void **> PyMem_Malloc(self.count * (sizeof(void *) + sizeof(Py_ssize_t)))
        if self.first == NULL:
            raise MemoryError()
        self.sizes = <Py_ssize_t *> (self.first + self.count)
        for i in range(self.count):
            self.first[i] = data(arrays[i])

    def __dealloc__(self):
        PyMem_Free(self.first)


# ---- numbers, names and statuses ----

cdef double as_number(object value, str name, object low, object high) except? -1:
    if type(value) is float and <double> low <= <double> value <= <double> high:
        return value
    return checks.number(name, value, low, high)


cdef dict FUSIBLE = {
    "linear": FNN_LINEAR, "relu": FNN_RELU, "leaky_relu": FNN_LEAKY_RELU, "elu": FNN_ELU, "selu": FNN_SELU,
    "sigmoid": FNN_SIGMOID, "tanh": FNN_TANH, "softplus": FNN_SOFTPLUS, "exponential": FNN_EXPONENTIAL,
    "hard_sigmoid": FNN_HARD_SIGMOID,
}
cdef dict ACTIVATIONS = FUSIBLE | {
    "gelu": FNN_GELU, "gelu_tanh": FNN_GELU_TANH, "silu": FNN_SILU, "step": FNN_STEP,
}


cdef int code_of(str what, object name, dict codes) except -1:
    code = codes.get(name) if isinstance(name, str) else None
    return checks.choice(what, name, codes) if code is None else code  # choice lists the known names


cdef int activation_code(object name, bint fusible) except -1:
    return code_of("activation", name, FUSIBLE if fusible else ACTIVATIONS)


cdef int fusible_code(str what, object name) except -1:
    return code_of(what, name, FUSIBLE)


cdef int check(int status) except -1:
    if status == FNN_OK:
        return 0
    if status == FNN_NO_MEMORY:
        raise MemoryError("A kernel could not allocate its scratch memory.")
    raise IndexError(
        "An index was out of range when a kernel read it, and is not any more: another thread has written into the array "
        "meanwhile. Use a copy of the array.")
