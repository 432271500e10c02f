// Numbers that Python reads as numpy's arrays, without a copy: they keep their owner alive.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <string>

#include "client/histogram.h"

namespace cluster {

template <class T>
using Array = nanobind::ndarray<nanobind::numpy, const T, nanobind::ndim<1>>;

/// Any contiguous range of numbers that `owner` holds.
template <class Numbers>
auto array_of(const Numbers& numbers, nanobind::handle owner) {
    return Array<typename Numbers::value_type>(numbers.data(), {numbers.size()}, owner);
}

/// Both arrays of a sparse histogram.
template <class Owner, SparseHistogram Owner::* kMember>
nanobind::tuple histogram_of(nanobind::handle_t<Owner> self) {
    const SparseHistogram& sparse = nanobind::cast<const Owner&>(self).*kMember;
    return nanobind::make_tuple(array_of(sparse.indices, self), array_of(sparse.counts, self));
}

/// How a getter's stub reads: "def NAME(self) -> tuple[NDArray[uint32], …]" of these types.
inline std::string arrays_signature(const char* name, std::initializer_list<const char*> types) {
    std::string text = std::string("def ") + name + "(self) -> tuple[";
    for (const char* separator = ""; const char* type : types) {
        text += std::string(separator) + "numpy.typing.NDArray[numpy." + type + "]";
        separator = ", ";
    }
    return text + "]";
}

inline std::string histogram_signature(const char* name) {
    return arrays_signature(name, {"uint32", "uint64"});
}

}  // namespace cluster
