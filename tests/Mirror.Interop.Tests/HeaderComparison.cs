// Compares a parsed mirror.h with the bindings as compiled: LibraryImport lowers every import to one blittable P/Invoke, and
// reflection sees those. Every difference becomes one line of text; no line means the two agree.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mirror.Interop.Tests;

internal sealed class HeaderComparison
{
    private static readonly Dictionary<string, Type> Enums = new()
    {
        ["E"] = typeof(MirrorStatus),
        ["LOG"] = typeof(LogLevel),
        ["PRECISION"] = typeof(Precision),
        ["DEVICE"] = typeof(DeviceKind),
        ["FORMAT"] = typeof(PixelFormat),
        ["POOL"] = typeof(RegionPooling),
        ["FIT"] = typeof(FitMode),
        ["SIMILARITY"] = typeof(Similarity),
        ["METRIC"] = typeof(Metric),
    };

    private static readonly Dictionary<string, (Type Type, int Size)> Scalars = new()
    {
        ["char"] = (typeof(byte), 1),
        ["uint8_t"] = (typeof(byte), 1),
        ["int32_t"] = (typeof(int), 4),
        ["mirror_status"] = (typeof(int), 4),
        ["uint32_t"] = (typeof(uint), 4),
        ["int64_t"] = (typeof(long), 8),
        ["uint64_t"] = (typeof(ulong), 8),
        ["float"] = (typeof(float), 4),
        ["double"] = (typeof(double), 8),
        ["void"] = (typeof(void), 0),
    };

    private readonly HeaderParser _header;
    private readonly List<string> _differences = [];

    private HeaderComparison(HeaderParser header) => _header = header;

    internal static IReadOnlyList<string> Differences(string headerText)
    {
        var comparison = new HeaderComparison(HeaderParser.Parse(headerText));
        comparison.CompareFunctions();
        comparison.CompareStructs();
        comparison.CompareConstants();
        return comparison._differences;
    }

    private void CompareFunctions()
    {
        const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        MethodInfo[] methods = typeof(NativeMethods).GetMethods(Static);
        var imports = methods
            .Where(method => method.Attributes.HasFlag(MethodAttributes.PinvokeImpl))
            .Select(method => (Import: method, Declared: Declared(methods, method)))
            .OrderBy(pair => pair.Declared.MetadataToken)
            .ToDictionary(pair => pair.Import.GetCustomAttribute<DllImportAttribute>()!.EntryPoint!);
        foreach (CFunction function in _header.Functions)
        {
            if (imports.TryGetValue(function.Name, out (MethodInfo Import, MethodInfo Declared) found))
                CompareFunction(function, found.Import, found.Declared);
            else
                _differences.Add($"{function.Name} is not bound");
        }

        string[] names = [.. _header.Functions.Select(function => function.Name)];
        foreach (string extra in imports.Keys.Except(names))
            _differences.Add($"{extra} is bound but not in mirror.h");
        string[] bound = [.. imports.Keys.Intersect(names)];
        string[] expected = [.. names.Intersect(imports.Keys)];
        int moved = Enumerable.Range(0, bound.Length).FirstOrDefault(i => bound[i] != expected[i], -1);
        if (moved >= 0)
            _differences.Add($"{bound[moved]} is bound where mirror.h has {expected[moved]}");
    }

    private void CompareFunction(CFunction function, MethodInfo import, MethodInfo declared)
    {
        if (declared.Name != Pascal(function.Name))
            _differences.Add($"{function.Name} is called {declared.Name}, expected {Pascal(function.Name)}");
        Same($"{function.Name} returns", import.ReturnType, ClrType(function.Return));
        ParameterInfo[] parameters = import.GetParameters();
        if (parameters.Length != function.Parameters.Count)
        {
            _differences.Add($"{function.Name} has {parameters.Length} parameters, mirror.h {function.Parameters.Count}");
            return;
        }

        ParameterInfo[] managed = declared.GetParameters();
        for (int i = 0; i < parameters.Length; i++)
        {
            CVariable expected = function.Parameters[i];
            Same($"{function.Name}: {expected.Name} is", parameters[i].ParameterType, ClrType(expected.Type));

            // The P/Invoke has nint for every handle: which handle it is, only the declared method tells.
            string opaque = expected.Type.TrimEnd('*');
            if (!_header.Opaque.Contains(opaque))
                continue;
            Type handle = typeof(NativeMethods).Assembly.GetType($"Mirror.Interop.{Pascal(opaque)}Handle", throwOnError: true)!;
            Type declaredType = function.Name.EndsWith("_destroy", StringComparison.Ordinal)
                ? typeof(nint)
                : expected.Type.EndsWith("**", StringComparison.Ordinal) ? handle.MakeByRefType() : handle;
            Same($"{function.Name}: {expected.Name} is declared", managed[i].ParameterType, declaredType);
        }
    }

    private void CompareStructs()
    {
        foreach (CStruct expected in _header.Structs)
        {
            Type? type = typeof(NativeMethods).Assembly.GetType($"Mirror.Interop.Native{Pascal(expected.Name)}");
            if (type is null)
                _differences.Add($"{expected.Name} is not bound");
            else
                CompareStruct(expected, type);
        }

        IEnumerable<string> known = _header.Structs.Select(s => $"Native{Pascal(s.Name)}");
        IEnumerable<string> bound = typeof(NativeMethods).Assembly.GetTypes()
            .Where(type => type is { IsValueType: true, IsEnum: false, IsNested: false, Namespace: "Mirror.Interop" }).Select(type => type.Name);
        _differences.AddRange(bound.Except(known).Select(name => $"{name} is bound but not in mirror.h"));
    }

    private void CompareStruct(CStruct expected, Type type)
    {
        FieldInfo[] fields = [.. type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public).OrderBy(f => f.MetadataToken)];
        if (fields.Length != expected.Fields.Count)
        {
            _differences.Add($"{expected.Name} has {fields.Length} fields, mirror.h {expected.Fields.Count}");
            return;
        }

        int offset = 0;
        int alignment = 1;
        for (int i = 0; i < fields.Length; i++)
        {
            CVariable field = expected.Fields[i];
            string what = $"{expected.Name}.{field.Name}";
            if (fields[i].Name != Pascal(field.Name))
                _differences.Add($"{what} is called {fields[i].Name}, expected {Pascal(field.Name)}");
            var buffer = fields[i].GetCustomAttribute<FixedBufferAttribute>();
            Same($"{what} is", buffer?.ElementType ?? fields[i].FieldType, ClrType(field.Type));
            if ((buffer?.Length ?? 0) != field.Length)
                _differences.Add($"{what} has length {buffer?.Length ?? 0}, mirror.h {field.Length}");

            // Natural alignment, as every C compiler of a 64-bit platform does.
            int size = Scalars.TryGetValue(field.Type, out (Type Type, int Size) scalar) ? scalar.Size : nint.Size;
            offset = (offset + size - 1) / size * size;
            alignment = Math.Max(alignment, size);
            int actual = (int)Marshal.OffsetOf(type, fields[i].Name);
            if (actual != offset)
                _differences.Add($"{what} is at offset {actual}, mirror.h {offset}");
            offset += size * Math.Max(field.Length, 1);
        }

        int total = (offset + alignment - 1) / alignment * alignment;
        if (Marshal.SizeOf(type) != total)
            _differences.Add($"{expected.Name} has {Marshal.SizeOf(type)} bytes, mirror.h {total}");
    }

    private void CompareConstants()
    {
        var bound = Enums.Values.SelectMany(type => Enum.GetNames(type)
            .Select(name => (Key: $"{type.Name}.{name}", Value: Convert.ToInt64(Enum.Parse(type, name), null))))
            .Concat(typeof(NativeConstants).GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
                .Select(field => (Key: field.Name, Value: Convert.ToInt64(field.GetRawConstantValue(), null))))
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase);
        foreach ((string name, long value) in _header.Constants)
        {
            string key = ConstantKey(name);
            if (!bound.Remove(key, out long actual))
                _differences.Add($"{name} is not bound (as {key})");
            else if (actual != value)
                _differences.Add($"{name} is {actual}, mirror.h {value}");
        }

        _differences.AddRange(bound.Keys.Select(key => $"{key} is bound but not in mirror.h"));
    }

    /// <summary>MIRROR_OK and MIRROR_E_X are MirrorStatus.X, MIRROR_POOL_X is RegionPooling.X, ..., the rest NativeConstants.</summary>
    private static string ConstantKey(string name)
    {
        string[] parts = name.Split('_', 3);
        if (name == "MIRROR_OK")
            return "MirrorStatus.Ok";
        return parts.Length == 3 && Enums.TryGetValue(parts[1], out Type? type)
            ? $"{type.Name}.{Pascal("mirror_" + parts[2])}"
            : Pascal(name);
    }

    private Type ClrType(string type)
    {
        string element = type.TrimEnd('*');
        int pointers = type.Length - element.Length;
        Type? result = Scalars.TryGetValue(element, out (Type Type, int Size) scalar) ? scalar.Type : null;
        if (_header.Opaque.Contains(element))
        {
            // A handle is a pointer already.
            result = typeof(nint);
            pointers--;
        }
        else if (_header.Structs.Any(s => s.Name == element))
        {
            result = typeof(NativeMethods).Assembly.GetType($"Mirror.Interop.Native{Pascal(element)}");
        }
        else if (_header.Callbacks.FirstOrDefault(c => c.Name == element) is { } callback)
        {
            result = CallbackType(callback);
        }

        if (result is null)
            throw new FormatException($"mirror.h uses type {type}, which no binding stands for.");
        for (int i = 0; i < pointers; i++)
            result = result.MakePointerType();
        return result;
    }

    /// <summary>The function pointer type of a callback, found among the fields and parameters that use it.</summary>
    private Type CallbackType(CFunction callback)
    {
        Type type = callback.Name switch
        {
            "mirror_progress_fn" => typeof(NativeProgress).GetField("Callback", BindingFlags.Instance | BindingFlags.NonPublic)!.FieldType,
            "mirror_log_fn" => typeof(NativeMethods).GetMethod("SetLog", BindingFlags.Static | BindingFlags.NonPublic)!.GetParameters()[0].ParameterType,
            _ => throw new FormatException($"mirror.h has callback type {callback.Name}, which no binding stands for."),
        };
        if (!type.IsUnmanagedFunctionPointer)
            _differences.Add($"{callback.Name} is bound as {type}, expected an unmanaged function pointer");
        Type[] parameters = type.GetFunctionPointerParameterTypes();
        Same($"{callback.Name} returns", type.GetFunctionPointerReturnType(), ClrType(callback.Return));
        if (parameters.Length != callback.Parameters.Count)
            _differences.Add($"{callback.Name} has {parameters.Length} parameters, mirror.h {callback.Parameters.Count}");
        foreach ((Type actual, CVariable expected) in parameters.Zip(callback.Parameters))
            Same($"{callback.Name}: {expected.Name} is", actual, ClrType(expected.Type));
        return type;
    }

    private void Same(string what, Type actual, Type expected)
    {
        if (actual != expected)
            _differences.Add($"{what} {actual}, mirror.h {expected}");
    }

    private static MethodInfo Declared(MethodInfo[] methods, MethodInfo import)
    {
        // With marshalling the import is a local function, "<DeviceCreate>g____PInvoke|7_0".
        int end = import.Name.IndexOf('>', StringComparison.Ordinal);
        return end < 0 ? import : methods.Single(method => method.Name == import.Name[1..end]);
    }

    private static string Pascal(string name) =>
        string.Concat(name.ToLowerInvariant().Split('_').Where(part => part != "mirror").Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
}
