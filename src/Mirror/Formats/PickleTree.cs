// The last step of unpickling: machine values become plain ones, and the whole is proven to be a tree that can be walked.
//
// A pickle may share one list a million times over or put it into itself; a reader that walks it as a tree would never end. Each
// object is visited once here, with its height and the number of nodes that walking it would meet.

namespace Mirror.Formats;

/// <summary>Conversion and check of an unpickled value.</summary>
internal sealed class PickleTree(Func<string, Exception> bad, PickleBudget budget)
{
    private const int MaxDepth = 64;
    private const long MaxNodes = 4 << 20;

    private readonly Dictionary<object, Node> _done = new(ReferenceEqualityComparer.Instance);

    // Height is -1 while the object's own elements are being visited.
    private readonly record struct Node(object? Value, int Height, long Nodes);

    public object? Finish(object? value) => Visit(value, 0).Value;

    private Node Visit(object? value, int depth)
    {
        switch (value)
        {
            case null or bool or long or double or string:
                return new(value, 0, 1);
            case PickleText text:
                return new(text.Value, 0, 1);
            case PickleBytes bytes:
                return new(bytes.Value, 0, 1);
            case List<object?> or object?[] or Dictionary<object, object?> or PickleArray:
                break;
            default:
                throw bad($"its value holds {PickleNames.Kind(value)}, which is no data");
        }
        if (depth >= MaxDepth)
        {
            throw bad($"it is nested more than {MaxDepth} levels deep");
        }
        if (_done.TryGetValue(value, out Node known))
        {
            return known.Height < 0 ? throw bad("a list or dictionary contains itself")
                : depth + known.Height >= MaxDepth ? throw bad($"it is nested more than {MaxDepth} levels deep")
                : known;
        }
        _done.Add(value, new(null, -1, 0));
        Node node = value switch
        {
            List<object?> list => Elements(list, list, depth),
            object?[] tuple => Elements(tuple, tuple, depth),
            Dictionary<object, object?> dictionary => Values(dictionary, depth),
            PickleArray { Items: { } items } array => Objects(array, items, depth),
            PickleArray array => new(array.ToArray(budget, bad), 0, 1),
            _ => throw new InvalidOperationException($"no case for {value.GetType()}"),
        };
        _done[value] = node;
        return node;
    }

    private Node Elements(object value, IList<object?> items, int depth)
    {
        Node sum = new(value, 0, 1);
        for (int i = 0; i < items.Count; i++)
        {
            Node node = Visit(items[i], depth + 1);
            items[i] = node.Value;
            sum = Add(sum, node);
        }
        return sum;
    }

    private Node Values(Dictionary<object, object?> dictionary, int depth)
    {
        Node sum = new(dictionary, 0, 1);
        foreach (object key in dictionary.Keys.ToList())
        {
            Node node = Visit(dictionary[key], depth + 1);
            dictionary[key] = node.Value;
            sum = Add(sum, node);
        }
        return sum;
    }

    private Node Objects(PickleArray array, List<object?> items, int depth)
    {
        Node list = Elements(items, items, depth);
        return array.Rank == 0 ? list with { Value = items[0] } : list;
    }

    private Node Add(Node sum, Node node)
    {
        long nodes = sum.Nodes + node.Nodes;
        return nodes <= MaxNodes
            ? new(sum.Value, Math.Max(sum.Height, node.Height + 1), nodes)
            : throw bad($"its parts are shared so often that walking it would meet more than {MaxNodes} values");
    }
}
