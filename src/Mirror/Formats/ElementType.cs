// The element types that model and array files store, with each format's own name for them.
//
// One table serves TensorFlow checkpoints, safetensors and .npy, so that a type means the same size everywhere.

using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Mirror.Formats;

/// <summary>Type of the elements of a stored tensor.</summary>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The members stand for exactly these types.")]
public enum ElementType
{
    /// <summary>A type that Mirror can list but not read (strings, resources, quantised numbers, ...).</summary>
    Other = 0,

    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary64.</summary>
    Float64,

    /// <summary>IEEE 754 binary16.</summary>
    Float16,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16,

    /// <summary>Signed, 8 bits.</summary>
    Int8,

    /// <summary>Signed, 16 bits.</summary>
    Int16,

    /// <summary>Signed, 32 bits.</summary>
    Int32,

    /// <summary>Signed, 64 bits.</summary>
    Int64,

    /// <summary>Unsigned, 8 bits.</summary>
    UInt8,

    /// <summary>Unsigned, 16 bits.</summary>
    UInt16,

    /// <summary>Unsigned, 32 bits.</summary>
    UInt32,

    /// <summary>Unsigned, 64 bits.</summary>
    UInt64,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Two binary32: real, imaginary.</summary>
    Complex64,

    /// <summary>Two binary64: real, imaginary.</summary>
    Complex128,
}

/// <summary>Sizes and names of <see cref="ElementType"/>.</summary>
internal static class ElementTypes
{
    private static readonly FrozenDictionary<string, ElementType> FromSafeTensors = new Dictionary<string, ElementType>
    {
        ["F32"] = ElementType.Float32,
        ["F64"] = ElementType.Float64,
        ["F16"] = ElementType.Float16,
        ["BF16"] = ElementType.BFloat16,
        ["I8"] = ElementType.Int8,
        ["I16"] = ElementType.Int16,
        ["I32"] = ElementType.Int32,
        ["I64"] = ElementType.Int64,
        ["U8"] = ElementType.UInt8,
        ["U16"] = ElementType.UInt16,
        ["U32"] = ElementType.UInt32,
        ["U64"] = ElementType.UInt64,
        ["BOOL"] = ElementType.Bool,
        ["C64"] = ElementType.Complex64,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<ElementType, string> ToSafeTensors =
        FromSafeTensors.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    private static readonly (int Number, ElementType Type, string? Name)[] TensorFlow =
    [
        (1, ElementType.Float32, "float32"),
        (2, ElementType.Float64, "float64"),
        (3, ElementType.Int32, "int32"),
        (4, ElementType.UInt8, "uint8"),
        (5, ElementType.Int16, "int16"),
        (6, ElementType.Int8, "int8"),
        (7, ElementType.Other, "string"),
        (8, ElementType.Complex64, "complex64"),
        (9, ElementType.Int64, "int64"),
        (10, ElementType.Bool, "bool"),
        (14, ElementType.BFloat16, "bfloat16"),
        (17, ElementType.UInt16, "uint16"),
        (18, ElementType.Complex128, "complex128"),
        (19, ElementType.Float16, "float16"),
        (20, ElementType.Other, "resource"),
        (21, ElementType.Other, "variant"),
        (22, ElementType.UInt32, "uint32"),
        (23, ElementType.UInt64, "uint64"),
    ];

    /// <summary>Bytes of one element; 0 for <see cref="ElementType.Other"/>.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Int8 or ElementType.UInt8 or ElementType.Bool => 1,
        ElementType.Float16 or ElementType.BFloat16 or ElementType.Int16 or ElementType.UInt16 => 2,
        ElementType.Float32 or ElementType.Int32 or ElementType.UInt32 => 4,
        ElementType.Float64 or ElementType.Int64 or ElementType.UInt64 or ElementType.Complex64 => 8,
        ElementType.Complex128 => 16,
        _ => 0,
    };

    /// <summary>Bytes that change places together when the byte order changes.</summary>
    public static int SwapUnit(this ElementType type) =>
        type is ElementType.Complex64 or ElementType.Complex128 ? type.Size() / 2 : type.Size();

    /// <summary>The type of a safetensors name such as "F32"; null where the name is unknown.</summary>
    public static ElementType? ParseSafeTensors(string name) => FromSafeTensors.TryGetValue(name, out ElementType type) ? type : null;

    /// <summary>The safetensors name; null where the format has none.</summary>
    public static string? SafeTensorsName(this ElementType type) => ToSafeTensors.GetValueOrDefault(type);

    /// <summary>A number of TensorFlow's DataType enum: the type, and TensorFlow's own name for messages.</summary>
    public static (ElementType Type, string Name) FromTensorFlow(int value)
    {
        (_, ElementType type, string? name) = Array.Find(TensorFlow, row => row.Number == value);
        return (type, name ?? $"TensorFlow type {value}");
    }

    /// <summary>The number of a type in TensorFlow's DataType enum; every type but <see cref="ElementType.Other"/> has one.</summary>
    public static int TensorFlowNumber(this ElementType type) => type == ElementType.Other
        ? throw new ArgumentOutOfRangeException(nameof(type), "Other stands for several types of TensorFlow")
        : Array.Find(TensorFlow, row => row.Type == type).Number;
}
